/** A multi-task in the place of a single one, for the parts of a run that know only those. */
import { UsageError } from '../../errors.js';
import { Mean } from '../../metrics/index.js';
import type { Metric } from '../../metrics/index.js';
import type { Optimizer } from '../../optimization/index.js';
import type { MaybePromise, Output } from '../../orbit/index.js';
import { initializeFromCheckpoint } from '../init-checkpoint.js';
import type { Model, Tensors } from '../model.js';
import { requireMetrics } from '../task-checks.js';
import { Task } from '../task.js';
import type { StepLogs } from '../task.js';
import type { MultiTaskConfig } from './config.js';
import { requireMultiTaskModel } from './model.js';
import type { MultiTaskModel } from './model.js';
import type { MultiTask } from './multi-task.js';

/** Losses and metrics of every task over a training loop. */
export class TaskResults {
  /** Mean losses by task. */
  readonly losses: Readonly<Record<string, Mean>>;
  /** Training metrics by task. */
  readonly metrics: Readonly<Record<string, readonly Metric[]>>;

  constructor(multiTask: MultiTask) {
    const tasks = Object.entries(multiTask.tasks);
    this.losses = Object.fromEntries(tasks.map(([name]) => [name, new Mean('training_loss')]));
    this.metrics = Object.fromEntries(tasks.map(([name, task]) => [name, requireMetrics(task.buildMetrics(true), task, 'training_loss')]));
  }

  /** All of them by task and name, for checkpoints: an interrupted loop goes on counting where it stopped. */
  get items(): Record<string, Record<string, Metric>> {
    const named = ([task, loss]: [string, Mean]): [string, Record<string, Metric>] => [
      task,
      Object.fromEntries([loss, ...this.metrics[task]!].map((metric) => [metric.name, metric])),
    ];
    return Object.fromEntries(Object.entries(this.losses).map(named));
  }

  /** Reads and resets them. */
  take(): Record<string, Output> {
    const logs: Record<string, Output> = {};
    for (const [task, loss] of Object.entries(this.losses)) {
      const results: Output = (logs[task] = {});
      for (const metric of [loss, ...this.metrics[task]!]) {
        results[metric.name] = metric.result();
        metric.resetState();
      }
    }
    return logs;
  }
}

/** A multi-task as a task: its step is the joint one. Data and evaluation are the tasks' own and not reached through it. */
export class JoinedTask extends Task {
  /** The tasks. */
  readonly multiTask: MultiTask;
  readonly #config: MultiTaskConfig;
  readonly #model: MultiTaskModel | Model | null;
  /** What the joint step updates. */
  results: TaskResults | null = null;

  /** @param model the model, where the caller made it; default: the multi-task builds it */
  constructor(multiTask: MultiTask, config: MultiTaskConfig, model: MultiTaskModel | Model | null = null) {
    super(config as never, { name: multiTask.name });
    this.multiTask = multiTask;
    this.#config = config;
    this.#model = model;
  }

  override buildModel(): Model {
    const model = this.#model ?? this.multiTask.buildModel(this.#config);
    return requireMultiTaskModel(model, `${this.name}.buildModel`) as Model;
  }

  override buildInputs(): never {
    throw new UsageError(`${this.name} has no data of its own; its tasks have.`);
  }

  override initialize(model: Model): MaybePromise<void> {
    const { initialize } = model as Partial<MultiTaskModel>;
    if (initialize !== undefined) return initialize.call(model as unknown as MultiTaskModel);
    return this.#config.init_checkpoint ? initializeFromCheckpoint(this.#config.init_checkpoint, model) : undefined;
  }

  override trainStep(inputs: Tensors, model: Model, optimizer: Optimizer): StepLogs {
    const { losses, metrics } = this.results!;
    const logs = this.multiTask.jointTrainStep(inputs as Record<string, Tensors>, model, optimizer, metrics);
    for (const [name, loss] of Object.entries(losses)) if (logs[name]) loss.updateState(logs[name]);
    return { [Task.loss]: logs['total_loss']! };
  }
}
