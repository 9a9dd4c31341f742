/** Runs an experiment in one of its modes. */
import type { CheckpointManager } from '../checkpoint/index.js';
import type { DistributionStrategy } from '../distribute/index.js';
import { applyRuntime } from './apply-runtime.js';
import type { Action, Controller, MaybePromise } from '../orbit/index.js';
import { defaultEvalActions, defaultTrainActions } from './actions.js';
import type { BestCheckpointExporter } from './best-checkpoint.js';
import { checkRun } from './check-params.js';
import type { ExperimentConfig } from './config.js';
import { afterFirstStep } from './first-step.js';
import { trialConfig } from './fast-dev-run.js';
import { createCheckpointManager, createTrainer, maybeCreateBestCkptExporter, strategyOf } from './factories.js';
import { sizeLines } from './model-info.js';
import { completeResume } from './resume.js';
import { afterError, openingLines, runToEnd, type RunParts } from './run-ends.js';
import { runLines, type RunLines } from './run-lines.js';
import { controllerParts, makeController } from './run-controller.js';
import { RunDirectory } from './run-directory.js';
import { performMode } from './perform-mode.js';
import { serializeConfig } from './serialize.js';
import { RunRecord } from './run-record.js';
import { writeResult, type RunResult } from './run-result.js';
import { requireMade, requireManager, requireMode, requireOptions, tooEarly } from './runner-options.js';
import type { ControllerParts, RunnerOptions, RunOutcome } from './runner-options.js';
import { StopSignals } from './stop-signals.js';
import type { Task } from './task.js';
import type { Trainer } from './trainer.js';

/**
 * Runs an experiment: builds trainer, checkpoint manager and controller, each in a method of its own that subclasses
 * override, restores the newest checkpoint, and does what the mode says.
 *
 * ```ts
 * const params = getExperimentConfig('mnist_mlp');
 * const runner = new OrbitExperimentRunner({ task: getTask(params.task), mode: 'train', params, modelDir: 'runs/mnist' });
 * const { model, evalLogs } = await runner.run();
 * ```
 */
export class OrbitExperimentRunner {
  readonly params: ExperimentConfig;
  readonly modelDir: string;
  readonly task: Task;
  readonly mode: string;
  readonly #options: RunnerOptions;
  readonly #says: RunLines;
  #strategy: DistributionStrategy | null = null;
  #trainer: Trainer | null = null;
  #manager: CheckpointManager | null | undefined = undefined;
  #controller: Controller | null = null;
  #building: Promise<void> | null = null;
  readonly #directory: RunDirectory;
  readonly #record = new RunRecord();
  #result: RunResult | null = null;
  #stepsPerEpoch: number | null = null;
  #stopSignals: StopSignals | null = null;
  readonly #isTrial: boolean;

  /** Checks the options; nothing is built or written before `build()` or `run()`. */
  constructor(options: RunnerOptions) {
    requireOptions(options);
    this.#options = options;
    this.#says = runLines(options);
    this.#isTrial = options.params.trainer.fast_dev_run > 0;
    this.params = this.#isTrial ? trialConfig(options.params, options.mode) : options.params;
    this.#directory = new RunDirectory(options, this.#isTrial);
    this.modelDir = this.#directory.path;
    this.task = options.task;
    this.mode = options.mode;
  }

  /** The trainer; there from the end of `buildTrainer`. */
  get trainer(): Trainer {
    return this.#trainer ?? tooEarly('trainer', 'buildTrainer');
  }

  /** The checkpoint manager, or null without one; there from the end of `maybeBuildCheckpointManager`. */
  get checkpointManager(): CheckpointManager | null {
    return this.#manager === undefined ? tooEarly('checkpointManager', 'maybeBuildCheckpointManager') : this.#manager;
  }

  /** The controller; there after `build()`. */
  get controller(): Controller {
    return this.#controller ?? tooEarly('controller', 'buildController');
  }

  /** How the work is spread over devices. */
  get distributionStrategy(): DistributionStrategy {
    return (this.#strategy ??= this.#options.distributionStrategy ?? strategyOf(this.params.runtime));
  }

  /** Path of the checkpoint that this run began from, or null; known after `build()`. */
  get resumedFrom(): string | null {
    return this.#record.resumedFrom;
  }

  /** The numbers of the run; null before its end. */
  get result(): RunResult | null {
    return this.#result;
  }

  /**
   * Builds all parts and restores the newest checkpoint. Called by `run()` if it was not called before. In modes that train
   * the model directory is locked from here to the end of `run()` or `close()`.
   * @throws CheckpointError if another process trains in the model directory
   */
  build(): Promise<void> {
    return (this.#building ??= this.#build().catch(async (error: unknown) => {
      await this.#unlockDirectory();
      throw error;
    }));
  }

  /** Closes the files of a runner that was built and is not run, and unlocks its model directory; `run()` does so itself. */
  async close(): Promise<void> {
    try {
      await this.#controller?.close();
    } finally {
      await this.#unlockDirectory();
    }
  }

  async #unlockDirectory(): Promise<void> {
    await this.#directory.release(this.#manager);
    this.#stopSignals?.close();
  }

  async #build(): Promise<void> {
    const [{ mode, task, params }, options] = [this, this.#options];
    const trains = mode.includes('train');
    checkRun(params, options).forEach((text) => this.#says.log(`Note: ${text}`)); // refuses before anything is written
    void this.distributionStrategy;
    if (this.#isTrial) this.#says.log(`A trial run of ${params.trainer.fast_dev_run} steps (trainer.fast_dev_run): nothing is saved.`);
    await this.#directory.makeAndLock();
    const written = trains && this.modelDir ? serializeConfig(params, this.modelDir) : null; // reaches the disk meanwhile
    written?.catch(() => undefined); // awaited below
    applyRuntime(params.runtime);
    const evaluates = mode.includes('eval') || options.runPostEval === true;
    this.#trainer = requireMade(options.trainer ?? (await this.buildTrainer(task, trains, evaluates)), 'buildTrainer');
    if (trains) this.#stopSignals = new StopSignals(options.signal ?? null, params.trainer);
    this.#trainer.stopSignal = this.#stopSignals?.signal ?? options.signal ?? null;
    await written;
    this.#trainer.throwIfStopped();
    if (trains || mode === 'continuous_eval') await this.#trainer.checkpointExporter?.repairInfo();
    if (params.trainer.checkpoint_interval_epochs > 0 && trains) this.#stepsPerEpoch = await this.#trainer.stepsPerEpoch();
    this.#manager = requireManager(await this.maybeBuildCheckpointManager(), mode);
    if (this.#directory.isLocked) await this.#manager?.tidy();
    this.#trainer.dataPosition.follows = params.trainer.resume_data === 'continue';
    const parts = controllerParts(options, this.#trainer, this.#isTrial);
    this.#controller = requireMade(await this.buildController(parts), 'buildController');
    this.#trainer.dataPosition.follows = true;
    if (trains && this.resumedFrom !== null) await completeResume(this.#trainer, this.modelDir);
    if (trains) afterFirstStep(this.#trainer, options.enableAsyncCheckpointing ? this.#manager : null, this.#says.warn);
  }

  /** Builds model, optimizer and trainer. Override to use a trainer of your own. */
  protected buildTrainer(task: Task, train: boolean, evaluate: boolean): MaybePromise<Trainer> {
    const made = (checkpointExporter: BestCheckpointExporter | null): Trainer =>
      createTrainer(this.params, task, { train, evaluate, checkpointExporter });
    return Promise.resolve(this.buildBestCheckpointExporter()).then(made);
  }

  /** The exporter of best checkpoints; null if the config asks for none. */
  protected buildBestCheckpointExporter(): MaybePromise<BestCheckpointExporter | null> {
    return maybeCreateBestCkptExporter(this.params, this.modelDir);
  }

  /** The manager of the checkpoints in the model directory; null if the trainer has no checkpoint. */
  protected maybeBuildCheckpointManager(): MaybePromise<CheckpointManager | null> {
    const { trainer, params, modelDir } = this;
    if (!trainer.checkpoint) return null;
    return createCheckpointManager(params, trainer, { directory: modelDir, stepsPerEpoch: this.#stepsPerEpoch });
  }

  /** Makes the controller and restores the newest checkpoint. */
  protected buildController(parts: ControllerParts): MaybePromise<Controller> {
    const { params, modelDir, trainer, checkpointManager } = this;
    return makeController(parts, {
      ...{ params, modelDir, trainer, checkpointManager, options: this.#options, isTrial: this.#isTrial },
      trainActions: this.defaultTrainActions(),
      evalActions: this.defaultEvalActions(),
      listener: this.#record.listener,
    });
  }

  /** The runner's own train actions: recovery from a blown-up loss. */
  protected defaultTrainActions(): readonly Action[] {
    return defaultTrainActions(this.params, this.trainer, this.checkpointManager, {
      rebuild: () => this.#rebuild(),
      warn: this.#says.warn,
    });
  }

  /** A trainer as at the start of the run; null where the caller made the trainer. */
  async #rebuild(): Promise<Trainer | null> {
    if (this.#options.trainer) return null;
    applyRuntime(this.params.runtime);
    const trainer = await this.buildTrainer(this.task, true, false);
    await trainer.initialize();
    return trainer;
  }

  /** The runner's own eval actions: checkpoints of averaged weights, lowering of the learning rate, early stopping. */
  protected defaultEvalActions(): readonly Action[] {
    const manager = this.mode.includes('train') ? this.checkpointManager : null;
    return defaultEvalActions(this.params, this.trainer, this.modelDir, manager, (line) => this.#says.log(line));
  }

  /**
   * Runs the mode to its end and leaves `result.<mode>.json` in the model directory.
   * @throws NotImplementedModeError for an unknown mode; TrainingStopped when the signal stopped it, after a checkpoint
   */
  async run(): Promise<RunOutcome> {
    const begin = performance.now();
    requireMode(this.mode);
    await this.build();
    await this.#directory.makeAndLock(); // held already, unless this is a second run
    let isClosing = false;
    try {
      openingLines(this.#parts, this.resumedFrom).forEach((line) => this.#says.log(line));
      this.#stopSignals?.startClock();
      const evalLogs = await runToEnd(this.#parts, () => this.runMode(), this.#record);
      isClosing = true;
      await this.controller.close();
      await this.#finish((performance.now() - begin) / 1000);
      return { model: this.trainer.model, evalLogs };
    } catch (error) {
      throw isClosing ? error : await afterError(this.#parts, error);
    } finally {
      await this.trainer.close().catch(() => undefined); // lets go of files; data that failed have told so
      await this.#unlockDirectory();
    }
  }

  get #parts(): RunParts {
    const { params, mode, trainer, controller } = this;
    return { params, mode, trainer, controller, ...this.#says, runPostEval: this.#options.runPostEval === true };
  }

  /** Does what the mode says, without the final evaluation. */
  protected runMode(): Promise<void> {
    return performMode(this.#parts);
  }

  async #finish(wallSeconds: number): Promise<void> {
    if (!this.#options.reporter) sizeLines(this.trainer.model).forEach(this.#says.log); // a reporter of its own tells it its way
    this.#result = this.#record.result(this.#parts, this.#options.experiment ?? null, wallSeconds);
    if (this.modelDir && !this.#isTrial) await writeResult(this.modelDir, this.#result);
  }
}
