/** The inner loops of training and evaluation for a task: compiled steps, metrics, logs. */
import type * as tf from '#tf';
import { Checkpoint } from '../checkpoint/index.js';
import type { Stateful } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { randomState, type NonFiniteValue } from '../function/index.js';
import { Mean } from '../metrics/index.js';
import type { Metric } from '../metrics/index.js';
import { createGlobalStep, LoopClock, StandardTrainer } from '../orbit/index.js';
import type { DataIterator, DatasetLike, MaybePromise, Output, SavableGlobalStep } from '../orbit/index.js';
import type { Optimizer } from '../optimization/index.js';
import type { BestCheckpointExporter } from './best-checkpoint.js';
import type { DataConfig, ExperimentConfig } from './config.js';
import { asAveraging } from './averaging.js';
import type { WeightAverages } from './averaging.js';
import { batchesPerEpoch } from './checkpoint-policies.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';
import { DataPositionItem } from './data-position.js';
import { EvaluationLoop } from './evaluation-loop.js';
import { taskInputs } from './inputs.js';
import { FiniteCheck } from './finite-check.js';
import { LossWatch } from './loss-watch.js';
import type { Model, Tensors } from './model.js';
import { RecoveryCounter } from './recovery.js';
import { TrainingStopped } from './stop.js';
import { TrainStep } from './train-step.js';
import { Task } from './task.js';
import { taskItems, unsavedVariables } from './task-items.js';
import { requireMetrics } from './task-checks.js';

/** Parts of a {@link Trainer}. */
export interface TrainerOptions {
  /** The experiment's config: `trainer`, `task` and `runtime` are read. */
  config: ExperimentConfig;
  /** What is trained. */
  task: Task;
  /** The model, as the task built it. */
  model: Model;
  /** The optimizer. */
  optimizer: Optimizer;
  /** Prepare for training. Default true. */
  train?: boolean;
  /** Prepare for evaluation. Default true. */
  evaluate?: boolean;
  /** Training data. Default: the task's inputs for `config.task.train_data`. */
  trainDataset?: DatasetLike | null;
  /** Validation data. Default: the task's inputs for `config.task.validation_data`. */
  validationDataset?: DatasetLike | null;
  /** Keeps the checkpoint with the best evaluation. Default none. */
  checkpointExporter?: BestCheckpointExporter | null;
}

/** What subclasses within this package put in place of the trainer's own parts. */
export interface TrainerParts {
  /** Makes the evaluation. Default: that of `task` on the validation data. */
  evaluation?: (trainer: Trainer) => Evaluation;
  /** Makes what makes training steps. Default: a step of `task` on one batch, or on several that are accumulated. */
  step?: (trainer: Trainer, watch: LossWatch) => StepMaker;
}

/** Makes training steps. */
export type StepMaker = Pick<TrainStep, 'run' | 'inspect'> & Partial<Pick<TrainStep, 'dispose' | 'assignedVariables'>>;

/** Makes evaluations. */
export interface Evaluation
  extends Pick<EvaluationLoop, 'loss' | 'metrics' | 'run' | 'rehearse'>, Partial<Pick<EvaluationLoop, 'forgetModel'>> {
  /** State of the evaluations, for checkpoints. */
  readonly walks: object;
}

/** How fast training went, first step aside (it traces and compiles). */
export interface TrainingSpeed {
  /** Steps made by this trainer. */
  readonly steps: number;
  /** Steps per second inside the training loops after the first step; null before the second. */
  readonly stepsPerSecond: number | null;
  /** Seconds from the start of the process to the end of the first step; null before it. */
  readonly secondsToFirstStep: number | null;
}

/**
 * Trains and evaluates a task's model. One training loop is n × the compiled `task.trainStep` with the loss and metrics
 * updated inside it; its logs are the metrics, `training_loss` and `learning_rate`, read once at its end. An evaluation
 * gives the validation metrics and `validation_loss`.
 */
export class Trainer extends StandardTrainer<DatasetLike> {
  /** The experiment’s config. */
  readonly config: ExperimentConfig;
  readonly task: Task;
  readonly model: Model;
  /** What updates the model. */
  readonly optimizer: Optimizer;
  /** Steps made: a counter of the host, separate from the optimizer's count of updates. */
  readonly globalStep: SavableGlobalStep = createGlobalStep();
  /** Model, optimizer, step, random numbers, data position and metrics: all that an exact resume needs. */
  readonly checkpoint: Checkpoint;
  /** Position of the training data within the checkpoint. */
  readonly dataPosition: DataPositionItem;
  /** Keeps the checkpoint with the best evaluation, or null. */
  readonly checkpointExporter: BestCheckpointExporter | null;
  /** Counts the blow-ups of the run. */
  readonly recovery = new RecoveryCounter();
  /** Where the run is within its loops. */
  readonly loopClock = new LoopClock();
  /** State of actions, by name: what has `stateDict` and `loadStateDict` is saved and restored with the run. */
  readonly actionStates: Record<string, Stateful> = {};
  /** Stops training at the next step boundary when aborted. */
  stopSignal: AbortSignal | null = null;
  /** Averages that an action keeps, which evaluations use in place of the weights once there are any; null: none. */
  weightAverages: (WeightAverages & { readonly count: number }) | null = null;
  /** Called once, after the first step. */
  onFirstStep: (() => void) | null = null;
  readonly #trainLoss: Mean | null;
  readonly #trainMetrics: readonly Metric[] | null;
  readonly #evaluation: Evaluation | null;
  readonly #watch: LossWatch;
  readonly #parts: TrainerParts;
  #step: StepMaker | null = null;
  #finite: FiniteCheck | null = null;
  #swap: CompiledStep<[], void> | null = null;
  #clock = { steps: 0, seconds: 0, begin: 0, counted: 0, firstStepAt: null as number | null };

  /** @throws UsageError when the config lacks a part that is needed */
  constructor(options: TrainerOptions, parts: TrainerParts = {}) {
    const { config, task, model, optimizer, train = true, evaluate = true } = options;
    if (!config?.trainer) throw new UsageError('Trainer: the config has no `trainer` part; make it with experimentConfig({ ... }).');
    if (!config.task) throw new UsageError('Trainer: the config has no `task` part; make it with experimentConfig({ ... }).');
    requireData(config.task.train_data, options.trainDataset, 'train_data', 'trainDataset');
    requireData(config.task.validation_data, options.validationDataset, 'validation_data', 'validationDataset');
    super(options.trainDataset ?? taskInputs(task, config.task.train_data, config.runtime.seed), {
      useTfWhileLoop: config.trainer.train_tf_while_loop,
      useTfFunction: config.trainer.train_tf_function,
      useTpuSummaryOptimization: config.trainer.allow_tpu_summary,
    });
    this.config = config;
    this.#parts = parts;
    this.task = task;
    this.model = model;
    this.optimizer = optimizer;
    this.checkpointExporter = options.checkpointExporter ?? null;
    this.#trainLoss = train ? new Mean('training_loss') : null;
    this.#trainMetrics = train ? requireMetrics(task.buildMetrics(true), task, 'training_loss') : null;
    this.#watch = new LossWatch(config.trainer.grad_accumulation_steps);
    const validation = () => options.validationDataset ?? taskInputs(task, config.task.validation_data, config.runtime.seed);
    this.#evaluation = evaluate ? (parts.evaluation?.(this) ?? new EvaluationLoop(this, validation())) : null;
    this.dataPosition = new DataPositionItem(this.trainIterator);
    this.checkpoint = new Checkpoint({
      model,
      optimizer,
      global_step: this.globalStep,
      random_state: randomState,
      train_iterator: this.dataPosition,
      ...(this.#trainLoss && this.#trainMetrics ? { train_metrics: metricItems([...this.#trainMetrics, this.#trainLoss]) } : {}),
      ...model.checkpointItems,
      ...taskItems(task, model),
    });
    this.#addRunState(train && evaluate);
  }

  /** What only a resumed run needs. Checkpoints of older versions lack some of it. */
  #addRunState(trainsAndEvaluates: boolean): void {
    const optional = { optional: true };
    this.checkpoint.add('recovery', this.recovery, optional);
    this.checkpoint.add('loop_clock', this.loopClock, optional);
    this.checkpoint.add('actions', this.actionStates, optional);
    this.checkpoint.add('loss_watch', this.#watch, optional);
    this.checkpoint.add('evaluations', this.#evaluation?.walks, optional);
    // A process that only evaluates follows another's checkpoints: it keeps its own best values, in info.json.
    if (trainsAndEvaluates) this.checkpoint.add('best_checkpoint', this.checkpointExporter, optional);
  }

  /** Mean training loss of the loop that runs. */
  get trainLoss(): Mean {
    return this.#trainLoss ?? missing('trainLoss', 'train');
  }

  /** Metrics of training. */
  get trainMetrics(): readonly Metric[] {
    return this.#trainMetrics ?? missing('trainMetrics', 'train');
  }

  /** Mean validation loss of the evaluation that runs, or of the last one. */
  get validationLoss(): Mean {
    return this.#evaluation?.loss ?? missing('validationLoss', 'evaluate');
  }

  /** Metrics of evaluation. */
  get validationMetrics(): readonly Metric[] {
    return this.#evaluation?.metrics ?? missing('validationMetrics', 'evaluate');
  }

  /** How fast training went. */
  get speed(): TrainingSpeed {
    const { steps, seconds, counted, firstStepAt } = this.#clock;
    return { steps, stepsPerSecond: counted > 0 && seconds > 0 ? counted / seconds : null, secondsToFirstStep: firstStepAt };
  }

  /** The first step of the loop that just ended at which the loss was not finite; null if there was none. */
  get firstBadStep(): number | null {
    return this.#watch.firstBadStep;
  }

  /** The output of a training loop as the watch over the loss wants it: with the mean loss under `training_loss`. */
  watchedLogs(output: Output): Output {
    return output;
  }

  /** Prepares a fresh model with `task.initialize`; run by the checkpoint manager when there is no checkpoint. */
  async initialize(): Promise<void> {
    await this.task.initialize(this.model);
  }

  /** Batches in an epoch of the training data; null where that is not known. */
  async stepsPerEpoch(): Promise<number | null> {
    const { trainDataset: data } = this;
    return batchesPerEpoch(typeof data === 'function' ? await data() : data);
  }

  /** Takes the next training batch. Override to change it on its way. */
  nextTrainInputs(iterator: DataIterator): MaybePromise<Tensors> {
    const next = iterator.next();
    return next instanceof Promise ? next.then((r) => r.value as Tensors) : (next.value as Tensors);
  }

  /** Takes the next evaluation batch, with logs to pass through beside those of the step. */
  nextEvalInputs(iterator: DataIterator): MaybePromise<{ inputs: Tensors; passthroughLogs?: Output }> {
    const next = iterator.next();
    return next instanceof Promise ? next.then((r) => ({ inputs: r.value as Tensors })) : { inputs: next.value as Tensors };
  }

  override async train(numSteps: number): Promise<Output | null | undefined | void> {
    this.#clock.begin = performance.now();
    const before = this.#clock.steps;
    this.#watch.begin(this.globalStep.value);
    try {
      return await super.train(numSteps);
    } finally {
      this.#clock.seconds += (performance.now() - this.#clock.begin) / 1000;
      this.#clock.counted += this.#clock.steps - before - (before === 0 && this.#clock.steps > 0 ? 1 : 0);
    }
  }

  override trainStep(iterator: DataIterator): MaybePromise<void> {
    this.throwIfStopped();
    const done = this.#steps().run(iterator);
    return done instanceof Promise ? done.then(() => this.#stepDone()) : this.#stepDone();
  }

  /**
   * Makes one step, as `train(1)` does, and looks at every value in it: for debugging.
   * @returns the first value that is NaN or infinite and spoils the step's results; null if all are finite
   */
  async inspectStep(): Promise<NonFiniteValue | null> {
    return this.#steps().inspect(() => this.train(1));
  }

  /**
   * The variables that the training step changes and that no object of the checkpoint holds: they begin anew when the run is
   * resumed. Known after the first step; of compiled steps alone.
   */
  unsavedVariables(): tf.Variable[] {
    const assigned = this.#step?.assignedVariables?.() ?? [];
    return unsavedVariables(assigned, this, [this.#watch.variable]);
  }

  /** Whether all variables of the model are finite numbers: else they are not worth saving. */
  async isFinite(): Promise<boolean> {
    return (this.#finite ??= new FiniteCheck(this.model)).allFinite();
  }

  /** Ends the loop that runs if the signal was aborted. @throws TrainingStopped */
  throwIfStopped(): void {
    if (this.stopSignal?.aborted) throw new TrainingStopped(this.globalStep.value, this.stopSignal.reason);
  }

  /** Gives a batch that a step has read back to the data. Code that overrides `nextTrainInputs` may have kept it. */
  releaseBatch(iterator: DataIterator, inputs: Tensors): void {
    if (this.nextTrainInputs === Trainer.prototype.nextTrainInputs) iterator.release?.(inputs);
  }

  /** Goes on with another model and optimizer, between two training loops: steps are compiled anew, checkpoints hold the new ones. */
  protected exchange(model: Model, optimizer: Optimizer): void {
    const fields = this as { -readonly [K in 'model' | 'optimizer']: Trainer[K] };
    fields.model = model;
    fields.optimizer = optimizer;
    for (const [name, item] of Object.entries({ model, optimizer, ...model.checkpointItems })) {
      if (Object.hasOwn(this.checkpoint.items, name)) this.checkpoint.replace(name, item);
      else this.checkpoint.add(name, item);
    }
    this.#step?.dispose?.();
    this.#evaluation?.forgetModel?.();
    [this.#step, this.#finite, this.#swap] = [null, null, null];
  }

  #steps(): StepMaker {
    return (this.#step ??= this.#parts.step?.(this, this.#watch) ?? new TrainStep(this, this.#watch));
  }

  #stepDone(): void {
    this.globalStep.assignAdd(1);
    if (this.#clock.steps++ === 0) this.#firstStep();
  }

  #firstStep(): void {
    const now = performance.now();
    this.#clock.firstStepAt = now / 1000;
    this.#clock.begin = now; // the first step traces and compiles: it does not count as speed
    this.onFirstStep?.();
  }

  override async trainLoopEnd(): Promise<Output> {
    const logs: Output = {};
    for (const metric of [...this.trainMetrics, this.trainLoss]) {
      logs[metric.name] = metric.result();
      metric.resetState();
    }
    this.#watch.end(this.globalStep.value);
    logs['learning_rate'] = this.optimizer.currentLearningRate();
    return logs;
  }

  /** Evaluates `numSteps` batches, or all of them with -1; with the averaged weights where the optimizer keeps some. */
  async evaluate(numSteps: number): Promise<Output> {
    const evaluation = this.#evaluation ?? missing('evaluate', 'evaluate');
    const averaging = this.averagesForEvaluation();
    const random = randomState.stateDict();
    try {
      return await (averaging === null ? evaluation.run(numSteps) : this.#evaluateAverages(averaging, evaluation, numSteps));
    } catch (error) {
      randomState.loadStateDict(random); // an evaluation that was stopped is made anew later, with the same random numbers
      throw error;
    }
  }

  /** Tries the evaluation on a few batches, so that its errors show before training. Leaves nothing behind. */
  async rehearseEvaluation(numSteps: number): Promise<void> {
    const evaluation = this.#evaluation ?? missing('rehearseEvaluation', 'evaluate');
    const random = randomState.stateDict();
    try {
      await evaluation.rehearse(numSteps);
    } finally {
      randomState.loadStateDict(random);
    }
  }

  /** What exchanges the weights and the averages that are evaluated in their place; null: the weights are evaluated. */
  protected averagesForEvaluation(): WeightAverages | null {
    return asAveraging(this.optimizer) ?? (this.weightAverages !== null && this.weightAverages.count > 0 ? this.weightAverages : null);
  }

  async #evaluateAverages(averaging: WeightAverages, evaluation: Evaluation, numSteps: number): Promise<Output> {
    this.#swap ??= compileStep(() => averaging.swapWeights(), { name: 'swap_averages', eager: this.config.runtime.run_eagerly });
    await this.#swap();
    try {
      return await evaluation.run(numSteps);
    } finally {
      await this.#swap(); // also after an error: training must not go on with the averages
    }
  }
}

function missing(what: string, part: 'train' | 'evaluate'): never {
  throw new UsageError(`Trainer.${what} is not available: the trainer was made with ${part}: false.`);
}

function requireData(config: DataConfig | null | undefined, dataset: unknown, name: string, option: string): void {
  if (config || dataset) return;
  throw new UsageError(`Trainer: config.task has no ${name} and no ${option} was passed; give one of them.`);
}

/** Metrics by name, to be saved: an interrupted loop goes on counting where it stopped. */
function metricItems(metrics: readonly Metric[]): Record<string, Metric> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, metric]));
}
