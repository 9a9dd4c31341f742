/** One training step: one batch and its update, or several batches whose gradients make one. */
import type * as tf from '#tf';
import type { NonFiniteValue } from '../function/index.js';
import { GradientAccumulation } from '../optimization/index.js';
import type { AccumulationPhase } from '../optimization/index.js';
import type { DataIterator, MaybePromise } from '../orbit/index.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';
import { LabelCheck } from './label-check.js';
import type { LossWatch } from './loss-watch.js';
import { eachTensor, trainableVariables, type Tensors } from './model.js';
import { StepRunner } from './step-runner.js';
import { Task } from './task.js';
import { requireStepLogs } from './task-checks.js';
import type { Trainer } from './trainer.js';

type Part = AccumulationPhase | 'whole';

/** Takes batches and makes updates of the trainer's model with the compiled `task.trainStep`. */
export class TrainStep {
  readonly #trainer: Trainer;
  readonly #watch: LossWatch;
  readonly #batches: number;
  readonly #runners: { [part in Part]?: StepRunner<[Tensors]> } = {};
  readonly #labels: LabelCheck;
  #accumulation: GradientAccumulation | null = null;
  /** What the step under inspection found; undefined when none is. */
  #found: NonFiniteValue | null | undefined = undefined;

  constructor(trainer: Trainer, watch: LossWatch) {
    this.#trainer = trainer;
    this.#watch = watch;
    this.#batches = trainer.config.trainer.grad_accumulation_steps;
    this.#labels = new LabelCheck(trainer.model, trainer.trainMetrics, trainer.task.name);
  }

  /** Makes one step. Returns nothing when it is done, or a promise of that. */
  run(iterator: DataIterator): MaybePromise<void> {
    if (this.#batches > 1) return this.#accumulate(iterator);
    const inputs = this.#trainer.nextTrainInputs(iterator);
    return inputs instanceof Promise ? inputs.then((batch) => this.#runWhole(iterator, batch)) : this.#runWhole(iterator, inputs);
  }

  /** Looks at every value of the step that `makeStep` makes, and returns the first that is not finite; null if all are. */
  async inspect(makeStep: () => Promise<unknown>): Promise<NonFiniteValue | null> {
    this.#found = null;
    try {
      await makeStep();
      return this.#found;
    } finally {
      this.#found = undefined;
    }
  }

  /** The variables that compiled steps of one batch change; none before the first one. */
  assignedVariables(): readonly tf.Variable[] {
    return this.#runners.whole?.assignedVariables ?? [];
  }

  /** Gives the native memory of the steps back. */
  dispose(): void {
    for (const runner of Object.values(this.#runners)) runner.dispose();
    this.#accumulation?.dispose();
  }

  #runWhole(iterator: DataIterator, inputs: Tensors): MaybePromise<void> {
    const done = this.#runPart('whole', inputs);
    if (done !== undefined) return done.then(() => this.#trainer.releaseBatch(iterator, inputs));
    this.#trainer.releaseBatch(iterator, inputs);
  }

  async #accumulate(iterator: DataIterator): Promise<void> {
    for (let i = 0; i < this.#batches; i++) {
      const next = this.#trainer.nextTrainInputs(iterator);
      const inputs = next instanceof Promise ? await next : next;
      const done = this.#runPart(i === 0 ? 'first' : i < this.#batches - 1 ? 'middle' : 'last', inputs);
      if (done !== undefined) await done;
      this.#trainer.releaseBatch(iterator, inputs);
    }
  }

  #runPart(part: Part, inputs: Tensors): MaybePromise<void> {
    this.#labels.check(inputs);
    if (this.#found !== undefined) this.#found ??= this.#compile(part, false).findNonFinite(inputs);
    this.#runners[part] ??= new StepRunner(this.#compile(part, this.#trainer.config.runtime.run_eagerly));
    return this.#runners[part].run(inputs) as Promise<void> | undefined;
  }

  #compile(part: Part, eager: boolean): CompiledStep<[Tensors], void> {
    const { task, model, trainMetrics, trainLoss } = this.#trainer;
    const optimizer = part === 'whole' ? this.#trainer.optimizer : this.#accumulator();
    const step = (inputs: Tensors): void => {
      const size = part === 'whole' ? null : examplesOf(inputs);
      if (part !== 'whole') this.#accumulator().begin(part, size!);
      const { [Task.loss]: loss } = requireStepLogs(task.trainStep(inputs, model, optimizer, trainMetrics), `${task.name}.trainStep`);
      if (loss === undefined) return;
      trainLoss.updateState(loss, size);
      this.#watch.update(trainLoss.variables()['total']!);
    };
    return compileStep(step, { name: part === 'whole' ? 'train_step' : `train_step_${part}_batch`, eager });
  }

  #accumulator(): GradientAccumulation {
    if (this.#accumulation === null) {
      this.#accumulation = new GradientAccumulation(this.#trainer.optimizer);
      this.#accumulation.build(trainableVariables(this.#trainer.model));
    }
    return this.#accumulation;
  }
}

/** Examples in a batch: the first dimension of its first tensor that has one. */
function examplesOf(inputs: Tensors): number {
  let size = 1;
  let isKnown = false;
  eachTensor(inputs, ({ rank, shape }) => {
    if (!isKnown && rank > 0) [size, isKnown] = [shape[0]!, true];
  });
  return size;
}
