/** The inner loops of training and evaluation for a task: compiled steps, metrics, logs. */
import type * as tf from '#tf';
import type { Checkpoint, Stateful } from '../checkpoint/index.js';
import type { NonFiniteValue } from '../function/index.js';
import type { Mean, Metric } from '../metrics/index.js';
import { createGlobalStep, LoopClock, StandardTrainer } from '../orbit/index.js';
import type { DataIterator, DatasetLike, MaybePromise, Output, SavableGlobalStep } from '../orbit/index.js';
import type { Optimizer } from '../optimization/index.js';
import { asAveraging, type WeightAverages } from './averaging.js';
import type { BestCheckpointExporter } from './best-checkpoint.js';
import { batchesPerEpoch } from './checkpoint-policies.js';
import type { ExperimentConfig } from './config.js';
import { DataPositionItem } from './data-position.js';
import { EvaluationLoop } from './evaluation-loop.js';
import { FiniteCheck } from './finite-check.js';
import { LossWatch } from './loss-watch.js';
import type { Model, Tensors } from './model.js';
import { RecoveryCounter } from './recovery.js';
import { rewindRandom, rewindRandomOnError } from './rewind-random.js';
import { addResumeState, replaceModel, runCheckpoint } from './run-checkpoint.js';
import { TrainingStopped } from './stop.js';
import type { Task } from './task.js';
import { unsavedVariables } from './task-items.js';
import { TrainStep } from './train-step.js';
import { checkTrainerOptions, missingPart, trainingData, validationData } from './trainer-options.js';
import type { Evaluation, StepMaker, TrainerOptions, TrainerParts } from './trainer-options.js';
import { TrainingClock, type TrainingSpeed } from './training-clock.js';
import { TrainingMetrics } from './training-metrics.js';
import { WeightSwap } from './weight-swap.js';

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
  readonly #training: TrainingMetrics | null;
  readonly #evaluation: Evaluation | null;
  readonly #watch: LossWatch;
  readonly #parts: TrainerParts;
  #step: StepMaker | null = null;
  #finite: FiniteCheck | null = null;
  #swap: WeightSwap;
  readonly #clock = new TrainingClock();

  /** @throws UsageError when the config lacks a part that is needed */
  constructor(options: TrainerOptions, parts: TrainerParts = {}) {
    const { config, task, model, optimizer, train = true, evaluate = true } = options;
    checkTrainerOptions(options);
    super(trainingData(options), {
      useTfWhileLoop: config.trainer.train_tf_while_loop,
      useTfFunction: config.trainer.train_tf_function,
      useTpuSummaryOptimization: config.trainer.allow_tpu_summary,
    });
    this.config = config;
    this.#parts = parts;
    [this.task, this.model, this.optimizer] = [task, model, optimizer];
    this.checkpointExporter = options.checkpointExporter ?? null;
    this.#training = train ? new TrainingMetrics(task) : null;
    this.#swap = new WeightSwap(config.runtime.run_eagerly);
    this.#watch = new LossWatch(config.trainer.grad_accumulation_steps);
    this.#evaluation = evaluate ? (parts.evaluation?.(this) ?? new EvaluationLoop(this, validationData(options))) : null;
    this.dataPosition = new DataPositionItem(this.trainIterator);
    this.checkpoint = runCheckpoint(this, this.#training?.all ?? []);
    addResumeState(this.checkpoint, {
      recovery: this.recovery,
      loop_clock: this.loopClock,
      actions: this.actionStates,
      loss_watch: this.#watch,
      evaluations: this.#evaluation?.walks,
      // A process that only evaluates follows another's checkpoints: it keeps its own best values, in info.json.
      best_checkpoint: train && evaluate ? this.checkpointExporter : null,
    });
  }

  /** Mean training loss of the loop that runs. */
  get trainLoss(): Mean {
    return this.#training?.loss ?? missingPart('trainLoss', 'train');
  }

  /** Metrics of training. */
  get trainMetrics(): readonly Metric[] {
    return this.#training?.metrics ?? missingPart('trainMetrics', 'train');
  }

  /** Mean validation loss of the evaluation that runs, or of the last one. */
  get validationLoss(): Mean {
    return this.#evaluation?.loss ?? missingPart('validationLoss', 'evaluate');
  }

  /** Metrics of evaluation. */
  get validationMetrics(): readonly Metric[] {
    return this.#evaluation?.metrics ?? missingPart('validationMetrics', 'evaluate');
  }

  /** How fast training went. */
  get speed(): TrainingSpeed {
    return this.#clock.speed;
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
    return batchesPerEpoch(typeof this.trainDataset === 'function' ? await this.trainDataset() : this.trainDataset);
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
    this.#clock.beginLoop();
    this.#watch.begin(this.globalStep.value);
    try {
      return await super.train(numSteps);
    } finally {
      this.#clock.endLoop();
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
    return unsavedVariables(this.#step?.assignedVariables?.() ?? [], this, [this.#watch.variable]);
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
    replaceModel(this.checkpoint, model, optimizer);
    this.#step?.dispose?.();
    this.#evaluation?.forgetModel?.();
    [this.#step, this.#finite, this.#swap] = [null, null, new WeightSwap(this.config.runtime.run_eagerly)];
  }

  #steps(): StepMaker {
    return (this.#step ??= this.#parts.step?.(this, this.#watch) ?? new TrainStep(this, this.#watch));
  }

  #stepDone(): void {
    this.globalStep.assignAdd(1);
    if (this.#clock.stepDone()) this.onFirstStep?.();
  }

  override async trainLoopEnd(): Promise<Output> {
    const logs = (this.#training ?? missingPart('trainMetrics', 'train')).take();
    this.#watch.end(this.globalStep.value);
    return { ...logs, learning_rate: this.optimizer.currentLearningRate() };
  }

  /** Evaluates `numSteps` batches, or all of them with -1; with the averaged weights where the optimizer keeps some. */
  async evaluate(numSteps: number): Promise<Output> {
    const evaluation = this.#evaluation ?? missingPart('evaluate', 'evaluate');
    const averages = this.averagesForEvaluation();
    return rewindRandomOnError(() => this.#swap.during(averages, () => evaluation.run(numSteps)));
  }

  /** Tries the evaluation on a few batches, so that its errors show before training. Leaves nothing behind. */
  async rehearseEvaluation(numSteps: number): Promise<void> {
    const evaluation = this.#evaluation ?? missingPart('rehearseEvaluation', 'evaluate');
    await rewindRandom(() => evaluation.rehearse(numSteps));
  }

  /** What exchanges the weights and the averages that are evaluated in their place; null: the weights are evaluated. */
  protected averagesForEvaluation(): WeightAverages | null {
    return asAveraging(this.optimizer) ?? (this.weightAverages !== null && this.weightAverages.count > 0 ? this.weightAverages : null);
  }
}
