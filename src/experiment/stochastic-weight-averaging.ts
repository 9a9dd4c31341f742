/** Stochastic weight averaging: the mean of the weights at many steps, in the place of the last weights. */
import * as tf from '#tf';
import type { StateDict, StateTensor } from '../checkpoint/index.js';
import { CheckpointError, ConfigError, UsageError } from '../errors.js';
import { initScope } from '../function/index.js';
import type { ActionObject } from '../orbit/index.js';
import { variablePaths } from '../tf/object-paths.js';
import { asAveraging } from './averaging.js';
import type { WeightAverages } from './averaging.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';
import type { Trainer } from './trainer.js';

/** Options of {@link StochasticWeightAveraging}. */
export interface StochasticWeightAveragingOptions {
  /** Whose weights are averaged; its evaluations, and the best checkpoints that they keep, then have the averages. */
  trainer: Trainer;
  /** Step of the first weights that are averaged. */
  startStep: number;
  /** Steps between two weights that are averaged. */
  everyNSteps: number;
  /** Average trainable variables only, not statistics such as those of batch normalisation. Default false. */
  trainableWeightsOnly?: boolean;
}

/**
 * A train action: a ← a + (w − a)/(n + 1) with the weights w at `startStep`, `startStep` + `everyNSteps`, …, each at the end of the
 * training loop that reaches it; so a is the plain mean of all. Training goes on with the weights themselves. After Izmailov et al.,
 * "Averaging Weights Leads to Wider Optima and Better Generalization" (2018), without a last pass for batch statistics, which are averaged instead.
 */
export class StochasticWeightAveraging implements ActionObject, WeightAverages {
  readonly #options: StochasticWeightAveragingOptions;
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  #averages: ReadonlyMap<string, tf.Variable> | null = null;
  #add: CompiledStep<[tf.Tensor], void> | null = null;
  #count = 0;
  #next: number;

  /** @throws ConfigError where the optimizer averages already; UsageError for steps that are none */
  constructor(options: StochasticWeightAveragingOptions) {
    const { trainer, startStep, everyNSteps, trainableWeightsOnly = false } = options;
    if (asAveraging(trainer.optimizer) !== null)
      throw new ConfigError(
        'trainer.stochastic_weight_averaging: the optimizer averages the weights already; set it, or optimizer_config.ema, to null.',
        {
          path: 'trainer.stochastic_weight_averaging',
        },
      );
    if (!(Number.isInteger(startStep) && startStep >= 0 && Number.isInteger(everyNSteps) && everyNSteps >= 1))
      throw new UsageError(
        `StochasticWeightAveraging: startStep (${startStep}) and everyNSteps (${everyNSteps}) should be whole numbers from 0 and 1.`,
      );
    this.#options = options;
    this.#next = startStep;
    const all = [...variablePaths(trainer.model)] as unknown as [tf.Variable, string][];
    const averaged = all.filter(([v]) => v.dtype === 'float32' && (v.trainable || !trainableWeightsOnly));
    this.#variables = new Map(averaged.map(([variable, path]) => [path, variable]));
    trainer.weightAverages = this;
  }

  /** How many weights were averaged so far. */
  get count(): number {
    return this.#count;
  }

  /** After a training loop: takes the weights into the average if their step has come. */
  async run(): Promise<void> {
    const step = this.#options.trainer.globalStep.value;
    if (step < this.#next) return;
    const averages = (this.#averages ??= this.#make());
    this.#add ??= compileStep(
      (share: tf.Tensor) => {
        for (const [path, variable] of this.#variables) {
          const average = averages.get(path)!;
          average.assign(tf.add(average, tf.mul(tf.sub(variable, average), share)));
        }
      },
      { name: 'average_weights', eager: this.#options.trainer.config.runtime.run_eagerly },
    );
    const share = tf.scalar(1 / (this.#count + 1));
    await this.#add(share);
    share.dispose();
    this.#count += 1;
    const { everyNSteps } = this.#options;
    this.#next += everyNSteps * (Math.floor((step - this.#next) / everyNSteps) + 1);
  }

  /** Exchanges weights and averages. Twice changes nothing. Plain tfjs. @throws UsageError before there is an average */
  swapWeights(): void {
    if (this.#count === 0) throw new UsageError('StochasticWeightAveraging: there is no average yet.');
    const averages = this.#averages!;
    tf.tidy(() => {
      for (const [path, variable] of this.#variables) {
        const old = tf.clone(variable);
        variable.assign(averages.get(path)!);
        averages.get(path)!.assign(old);
      }
    });
  }

  /** Averages and counts, for checkpoints. */
  stateDict(): StateDict {
    const averages: Record<string, StateTensor> = {};
    for (const [path, v] of this.#averages ?? [])
      averages[path] = { dtype: 'float32', shape: [...v.shape], data: v.dataSync() as Float32Array };
    return { count: this.#count, next: this.#next, averages } as StateDict;
  }

  /** Takes over a saved state. @throws CheckpointError where it is that of another model */
  loadStateDict(state: StateDict): void {
    const saved = state['averages'] as unknown as Readonly<Record<string, StateTensor>>;
    const count = Number(state['count']);
    if (count > 0) {
      for (const [path, { shape }] of this.#variables) {
        if (String(saved[path]?.shape) !== String(shape))
          throw new CheckpointError(
            `The saved average of "${path}" has shape [${saved[path]?.shape ?? 'none'}], but the model has [${shape}].`,
          );
      }
      const averages = (this.#averages ??= this.#make());
      initScope(() =>
        tf.tidy(() =>
          averages.forEach((average, path) => average.assign(tf.tensor(saved[path]!.data.slice() as Float32Array, average.shape))),
        ),
      );
    }
    this.#count = count;
    this.#next = Number(state['next']);
  }

  #make(): ReadonlyMap<string, tf.Variable> {
    const zeros = (v: tf.Variable): tf.Variable => initScope(() => tf.tidy(() => tf.variable(tf.zeros(v.shape), false)));
    return new Map([...this.#variables].map(([path, variable]) => [path, zeros(variable)]));
  }
}
