/** A trainer that needs only a step. */
import { DataError, UsageError } from '../errors.js';
import { AbstractTrainer } from './abstract.js';
import { type DatasetLike, type Datasets, type IteratorsOf, isDatasets } from './dataset.js';
import { LiveData } from './live-data.js';
import type { PositionState } from './live-iterator.js';
import { createTfWhileLoopFn, LoopFnWithSummaries, runSteps } from './loop-fns.js';
import { checkedTrainerOptions, type StandardTrainerOptions } from './standard-options.js';
import type { MaybePromise, Output } from './types.js';

/** Makes `numSteps` training steps; resolves to how many were made, or to nothing if it does not know. */
export type TrainLoopFunction<I> = (iterator: I, numSteps: number) => MaybePromise<number | void>;

/** The position of a trainer's data, to be put into a checkpoint: it can be saved and restored before any data are read. */
export interface DataPosition<I> {
  /** The live iterator (or structure of iterators), or null before the first step. */
  readonly current: I | null;
  /** Position after the last batch taken. */
  stateDict(): PositionState;
  /** Goes to a saved position, now or when the data are opened. */
  loadStateDict(state: PositionState): void;
}

/**
 * Calls `trainStep` once per step. One inner loop is: `trainLoopBegin()`, n × `trainStep(iterator)`, `trainLoopEnd()`,
 * whose result is the loop's output. The iterator lives on between loops.
 */
export abstract class StandardTrainer<D extends Datasets = DatasetLike> extends AbstractTrainer {
  readonly #options: StandardTrainerOptions;
  readonly #data: LiveData<D>;
  /** The live iterator, in a form that can be put into a checkpoint. The object stays the same for the trainer's life. */
  readonly trainIterator: DataPosition<IteratorsOf<D>>;
  #loop: TrainLoopFunction<IteratorsOf<D>> | null = null;

  /** @param trainDataset a dataset, or a record or array of datasets */
  constructor(trainDataset: D, options?: Partial<StandardTrainerOptions> | null) {
    super();
    this.#options = checkedTrainerOptions(options);
    const data = new LiveData(requireDatasets(trainDataset, 'trainDataset'));
    this.#data = data;
    this.trainIterator = {
      get current() {
        return data.iterators;
      },
      stateDict: () => data.stateDict(),
      loadStateDict: (state) => data.loadStateDict(state),
    };
  }

  /** The training data. Assigning others starts them at their first batch in the next loop. */
  get trainDataset(): D {
    return this.#data.datasets;
  }

  set trainDataset(trainDataset: D) {
    this.#data.datasets = requireDatasets(trainDataset, 'trainDataset');
  }

  /** Options in use. */
  get trainerOptions(): StandardTrainerOptions {
    return this.#options;
  }

  override async train(numSteps: number): Promise<Output | null | undefined | void> {
    await this.trainLoopBegin();
    this.#loop ??= this.createTrainLoopFn();
    const iterator = this.#data.iterators ?? (await this.#data.open());
    const steps = await this.#loop(iterator, numSteps);
    if (steps === 0 && numSteps > 0) {
      throw new DataError(
        'The training data are exhausted: no step could be made. Repeat the dataset or train fewer steps. ' +
          '(A generator object can be read only once: pass the generator function instead.)',
      );
    }
    return this.trainLoopEnd();
  }

  /** Ends the iterators, which lets go of files and workers. Training can go on: the data are opened again where they were. */
  async close(): Promise<void> {
    const position = this.#data.stateDict();
    await this.#data.close();
    this.#data.loadStateDict(position);
  }

  /** Same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs before each inner loop, before the data are opened. Does nothing by default. */
  trainLoopBegin(): MaybePromise<void> {}

  /**
   * One training step; it also advances the global step. What it returns is ignored.
   * @param iterator where to take batches from: `(await iterator.next()).value`
   */
  abstract trainStep(iterator: IteratorsOf<D>): unknown;

  /** Runs after each inner loop and returns its output. Returns nothing by default. */
  trainLoopEnd(): MaybePromise<Output | null | undefined | void> {}

  /** Makes the loop over {@link trainStep}; called once. */
  createTrainLoopFn(): TrainLoopFunction<IteratorsOf<D>> {
    const step = (iterator: IteratorsOf<D>): unknown => this.trainStep(iterator);
    if (this.#options.useTpuSummaryOptimization) {
      const loop = new LoopFnWithSummaries(step);
      return (iterator, numSteps) => loop.run(iterator, numSteps);
    }
    if (this.#options.useTfWhileLoop) return createTfWhileLoopFn(step);
    return async (iterator, numSteps) => (await runSteps(step, iterator, numSteps, undefined, null)).steps;
  }
}

/** Rejects what is no dataset. */
export function requireDatasets<D>(datasets: D, name: string): D {
  if (isDatasets(datasets)) return datasets;
  throw new UsageError(
    `\`${name}\` should be something iterable or async-iterable, a function that returns one, or a record or array of these; ` +
      `got ${datasets === null ? 'null' : `a value of type ${typeof datasets}`}.`,
  );
}
