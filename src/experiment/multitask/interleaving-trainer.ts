/** Training of several tasks, one in each step. */
import type { NonFiniteValue } from '../../function/index.js';
import { createGlobalStep } from '../../orbit/index.js';
import type { DataIterator, MaybePromise, Output, SavableGlobalStep } from '../../orbit/index.js';
import { UsageError } from '../../errors.js';
import { compileStep } from '../compile-step.js';
import type { CompiledStep } from '../compile-step.js';
import type { LossWatch } from '../loss-watch.js';
import type { Tensors } from '../model.js';
import { StepRunner } from '../step-runner.js';
import { requireStepLogs } from '../task-checks.js';
import { Task } from '../task.js';
import type { StepMaker } from '../trainer-options.js';
import { modelOfTask } from './model.js';
import { taskOfStep } from './task-sampler.js';
import type { TaskSampler } from './task-sampler.js';
import { MultiTaskTrainer } from './trainer.js';
import type { MultiTaskTrainerOptions, TaskIterators } from './trainer.js';

/** Parts of a {@link MultiTaskInterleavingTrainer}. */
export interface MultiTaskInterleavingTrainerOptions extends MultiTaskTrainerOptions {
  /** Gives the distribution from which the task of a step is drawn. */
  taskSampler: TaskSampler;
}

/**
 * Trains several tasks in turn: a step draws a task, by the step's number alone, and makes that task's ordinary training step on its
 * next batch. Weights decide how often a task is drawn, not how much its loss counts. A loop gives `{<task>: {training_loss,
 * <metrics>}, learning_rate}`; a task that was not drawn in it reports 0.
 */
export class MultiTaskInterleavingTrainer extends MultiTaskTrainer {
  /** Gives the distribution over the tasks. */
  readonly taskSampler: TaskSampler;
  readonly #counters: Readonly<Record<string, SavableGlobalStep>>;
  #meanLoss = 0;

  /** @throws UsageError where the sampler's tasks are not those of the multi-task, in the same order */
  constructor(options: MultiTaskInterleavingTrainerOptions) {
    super(options, { step: (trainer, watch) => new InterleavedStep(trainer as MultiTaskInterleavingTrainer, watch) });
    this.taskSampler = options.taskSampler;
    const names = Object.keys(this.multiTask.tasks);
    const sampled = Object.keys(options.taskSampler.taskWeights);
    if (names.join('\n') !== sampled.join('\n'))
      throw new UsageError(
        `The task sampler draws from ${sampled.join(', ')}, but the tasks are ${names.join(', ')}; make it with multiTask.taskWeights.`,
      );
    this.#counters = Object.fromEntries(names.map((name) => [name, createGlobalStep()]));
    if (options.train ?? true) this.checkpoint.add('task_steps', this.#counters);
  }

  /** The count of a task's own steps; those of all tasks add up to the global step. */
  taskStepCounter(name: string): SavableGlobalStep {
    const counter = this.#counters[name];
    if (counter) return counter;
    throw new UsageError(`There is no task "${name}"; the tasks are ${Object.keys(this.#counters).join(', ')}.`);
  }

  /** Name of the task that a step trains. */
  taskOfStep(globalStep: number): string {
    return Object.keys(this.multiTask.tasks)[taskOfStep(this.taskSampler, globalStep, this.config.runtime.seed)]!;
  }

  /** Training loss and metrics of the tasks, for their steps. */
  compileTaskStep(name: string, watch: LossWatch, eager: boolean): CompiledStep<[Tensors], void> {
    const { optimizer, trainLoss, results } = this;
    const task = this.multiTask.tasks[name]!;
    const model = modelOfTask(this.model, name);
    const step = (inputs: Tensors): void => {
      const logs = requireStepLogs(task.trainStep(inputs, model, optimizer, results.metrics[name]), `${name}.trainStep`);
      const loss = logs[Task.loss];
      if (loss === undefined) return;
      results.losses[name]!.updateState(loss);
      trainLoss.updateState(loss);
      watch.update(trainLoss.variables()['total']!);
    };
    return compileStep(step, { name: `train_step_${name}`, eager });
  }

  override async trainLoopEnd(): Promise<Output> {
    const { total_loss: total, ...logs } = await super.trainLoopEnd();
    this.#meanLoss = (total as { training_loss: number }).training_loss;
    return logs;
  }

  override watchedLogs(_output: Output): Output {
    return { training_loss: this.#meanLoss };
  }
}

/** Makes the step of the task that is drawn. */
class InterleavedStep implements StepMaker {
  readonly #trainer: MultiTaskInterleavingTrainer;
  readonly #watch: LossWatch;
  readonly #runners: Record<string, StepRunner<[Tensors]>> = {};
  /** What the step under inspection found; undefined when none is. */
  #found: NonFiniteValue | null | undefined = undefined;

  constructor(trainer: MultiTaskInterleavingTrainer, watch: LossWatch) {
    this.#trainer = trainer;
    this.#watch = watch;
  }

  run(iterators: DataIterator): MaybePromise<void> {
    const trainer = this.#trainer;
    const name = trainer.taskOfStep(trainer.globalStep.value);
    const inputs = trainer.nextBatch(name, iterators as unknown as TaskIterators);
    return inputs instanceof Promise
      ? inputs.then((batch) => this.#runTask(name, iterators, batch))
      : this.#runTask(name, iterators, inputs);
  }

  async inspect(makeStep: () => Promise<unknown>): Promise<NonFiniteValue | null> {
    this.#found = null;
    try {
      await makeStep();
      return this.#found;
    } finally {
      this.#found = undefined;
    }
  }

  #runTask(name: string, iterators: DataIterator, inputs: Tensors): MaybePromise<void> {
    const trainer = this.#trainer;
    if (this.#found !== undefined) this.#found ??= trainer.compileTaskStep(name, this.#watch, false).findNonFinite(inputs);
    const { run_eagerly: eager } = trainer.config.runtime;
    const done = (this.#runners[name] ??= new StepRunner(trainer.compileTaskStep(name, this.#watch, eager))).run(inputs);
    const end = (): void => {
      trainer.releaseBatch(iterators, { [name]: inputs });
      trainer.taskStepCounter(name).assignAdd(1);
    };
    return done === undefined ? end() : done.then(end);
  }
}
