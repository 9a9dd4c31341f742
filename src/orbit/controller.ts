/** The outer loop: alternates inner loops with actions, logging, summaries, checkpoints and evaluation. */
import { UsageError } from '../errors.js';
import type { AbstractEvaluator, AbstractTrainer } from './abstract.js';
import { freezeActions, runAction } from './action.js';
import type { CheckpointManagerLike } from './checkpoint-manager-like.js';
import type { ControllerOptions } from './controller-options.js';
import { requireEvalSteps, requireInterval, requireTargetStep, validateControllerOptions } from './controller-options.js';
import { type ControllerReporter, LineReporter } from './reporter.js';
import { ControllerParts } from './controller-parts.js';
import { loadEventFiles } from './controller-summaries.js';
import type { SummaryManagerInterface } from './summary-writer.js';
import type { Action, GlobalStep, Output } from './types.js';
import { getValues, requireOutput } from './values.js';

/**
 * Drives a trainer, an evaluator or both. Make it with {@link Controller.create}, which also restores the newest checkpoint.
 *
 * @example
 * const controller = await Controller.create({ globalStep, trainer, evaluator, stepsPerLoop: 100, checkpointManager });
 * await controller.trainAndEvaluate({ trainSteps: 1000, evalInterval: 200 });
 */
export class Controller {
  /** The count of training steps. */
  readonly globalStep: GlobalStep;
  /** The inner training loop, or null. */
  readonly trainer: AbstractTrainer | null;
  /** The evaluation, or null. */
  readonly evaluator: AbstractEvaluator | null;
  /** Saves and restores, or null. */
  readonly checkpointManager: CheckpointManagerLike | null;
  /** Called after every inner training loop. */
  readonly trainActions: readonly Action[];
  /** Called after every evaluation. */
  readonly evalActions: readonly Action[];
  /** Hears what happens. */
  readonly reporter: ControllerReporter;
  readonly #parts: ControllerParts;
  #isRestored = false;

  /**
   * Checks the options and keeps them. A controller made so restores the newest checkpoint when it is first used, unless
   * `restoreCheckpoint` was called before.
   * @throws UsageError for missing or wrong options
   */
  constructor(options: ControllerOptions) {
    validateControllerOptions(options);
    this.globalStep = options.globalStep;
    this.trainer = options.trainer ?? null;
    this.evaluator = options.evaluator ?? null;
    this.trainActions = freezeActions(options.trainActions, 'trainActions');
    this.evalActions = freezeActions(options.evalActions, 'evalActions');
    this.checkpointManager = options.checkpointManager ?? null;
    this.reporter = options.reporter ?? new LineReporter();
    this.#parts = new ControllerParts(options, this);
  }

  /** Makes a controller and restores the newest checkpoint, if there is a checkpoint manager. */
  static async create<C extends Controller>(this: new (options: ControllerOptions) => C, options: ControllerOptions): Promise<C> {
    await loadEventFiles(options);
    const controller = new this(options);
    await controller.restoreOnce();
    return controller;
  }

  /** Length of the next inner loop, in steps. */
  get stepsPerLoop(): number {
    return this.#parts.lengths.stepsPerLoop();
  }

  /** Writes the training summaries; null without a trainer. */
  get summaryManager(): SummaryManagerInterface | null {
    return this.#parts.summaries.train;
  }

  /** Writes the evaluation summaries; null without an evaluator. */
  get evalSummaryManager(): SummaryManagerInterface | null {
    return this.#parts.summaries.eval;
  }

  /**
   * Trains until the global step is `steps` (a target, not an increment).
   * @param options.checkpointAtCompletion save at the end, whatever the interval. Default true.
   */
  async train(steps: number, options: { checkpointAtCompletion?: boolean | null } | null = {}): Promise<void> {
    this.requirePart('trainer', 'train');
    requireTargetStep(steps, 'steps');
    await this.restoreOnce();
    await this.#parts.training.run(async () => {
      this.reporter.trainStart?.({ step: this.globalStep.value, targetStep: steps });
      while (this.globalStep.value < steps && this.stopReason === null) {
        await this.trainNSteps(this.#parts.lengths.nextLoop(steps, this.stepsPerLoop));
        await this.maybeSaveCheckpoint();
      }
      if (options?.checkpointAtCompletion ?? true) await this.maybeSaveCheckpoint({ checkInterval: false });
      await this.sync();
    });
  }

  /**
   * Ends the training that runs: no further training loop or evaluation is begun, the last checkpoint is saved and `train` or
   * `trainAndEvaluate` returns. Nothing happens when none runs; the first reason given counts.
   */
  stop(reason: string): void {
    this.#parts.training.stop(reason);
  }

  /** Why the last training ended before its last step, or null. */
  get stopReason(): string | null {
    return this.#parts.training.stopReason;
  }

  /**
   * Evaluates the model as it is in memory.
   * @param numSteps number of evaluation steps; -1 (default) until the data end
   * @returns the evaluator's output with plain values, and `steps_per_second` if a number was given
   */
  async evaluate(numSteps: number | null = -1): Promise<Output> {
    const evaluator = this.requirePart('evaluator', 'evaluate');
    const steps = requireEvalSteps(numSteps ?? -1);
    await this.restoreOnce();
    await this.#parts.hooks.evaluationBegin(steps);
    const secondsSince = this.#parts.results.evaluationBegin(steps);
    const raw = requireOutput(await this.#parts.summaries.aroundEval(() => evaluator.evaluate(steps)), 'evaluator.evaluate');
    const seconds = secondsSince();
    for (const action of this.evalActions) await runAction(action, raw, this.#parts.context);
    const output = await getValues(raw);
    await this.#parts.results.evaluationEnd(output, { steps, seconds });
    return output;
  }

  /**
   * Trains until the global step is `trainSteps` and evaluates every `evalInterval` steps and at the end.
   * @param options.evalSteps steps of each evaluation. Default -1: until the data end.
   * @param options.evalInterval steps between evaluations. Default (also 0): only at the end.
   * @returns the last evaluation's output; null if the step was there already and so nothing was done
   */
  async trainAndEvaluate(options: { trainSteps: number; evalSteps?: number | null; evalInterval?: number | null }): Promise<Output | null> {
    this.requirePart('trainer', 'trainAndEvaluate');
    this.requirePart('evaluator', 'trainAndEvaluate');
    const trainSteps = requireTargetStep(options.trainSteps, 'trainSteps');
    const evalSteps = requireEvalSteps(options.evalSteps ?? -1);
    await this.restoreOnce();
    const { lengths } = this.#parts;
    const interval = requireInterval(options.evalInterval) || trainSteps - this.globalStep.value;
    let output: Output | null = null;
    await this.#parts.training.run(async () => {
      while (this.stopReason === null && (this.globalStep.value < trainSteps || lengths.isEvaluationDue())) {
        const target = lengths.nextEvaluation(interval, trainSteps);
        if (this.globalStep.value < target) await this.train(target, { checkpointAtCompletion: false });
        if (this.stopReason !== null) break;
        output = await this.evaluate(evalSteps);
        lengths.evaluated();
      }
      await this.maybeSaveCheckpoint({ checkInterval: false });
      await this.sync();
    });
    return output;
  }

  /**
   * Evaluates each checkpoint that appears in the manager's directory, until none has appeared for a while.
   * @param options.steps steps of each evaluation. Default -1: until the data end.
   * @param options.timeout how long to wait for a checkpoint, in seconds. Default: for ever.
   * @param options.timeoutFn asked after each timeout: true ends, false waits again. Default: a timeout ends.
   * @returns the last evaluation's output, or null if there was no checkpoint
   */
  async evaluateContinuously(
    options: { steps?: number | null; timeout?: number | null; timeoutFn?: (() => boolean | Promise<boolean>) | null } = {},
  ): Promise<Output | null> {
    this.requirePart('evaluator', 'evaluateContinuously');
    this.requirePart('checkpointManager', 'evaluateContinuously');
    const steps = requireEvalSteps(options.steps ?? -1);
    await this.restoreOnce();
    let output: Output | null = null;
    const { timeout = null, timeoutFn = null } = options;
    for await (const path of this.#parts.checkpoints!.watch({ timeoutSeconds: timeout, timeoutFn })) {
      await this.restoreCheckpoint(path);
      output = await this.evaluate(steps);
    }
    return output;
  }

  /** Restores a checkpoint: that of `path`, else the newest. Resolves to its path, or to null if there is none. */
  async restoreCheckpoint(path: string | null = null): Promise<string | null> {
    this.requirePart('checkpointManager', 'restoreCheckpoint');
    const restored = await this.#parts.checkpoints!.restore(path);
    this.#isRestored = true;
    return restored;
  }

  /** Saves a checkpoint, whatever the interval; a step that is saved already is not saved again. */
  async saveCheckpoint(): Promise<void> {
    this.requirePart('checkpointManager', 'saveCheckpoint');
    await this.restoreOnce();
    await this.maybeSaveCheckpoint({ checkInterval: false });
  }

  /** Waits for summaries and checkpoints that are being written in the background. */
  async sync(): Promise<void> {
    await this.#parts.summaries.flushed();
    await this.#parts.checkpoints?.sync();
    await this.#parts.hooks.settled();
  }

  /** Waits for checkpoints and closes loggers and the summary files that the controller opened. */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#parts.summaries.close();
    }
  }

  /** Same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One inner loop, with everything that follows it but saving. */
  protected async trainNSteps(numSteps: number): Promise<void> {
    const trainer = this.requirePart('trainer', 'train');
    this.#parts.results.loopBegin();
    await this.#parts.hooks.loopBegin(numSteps);
    const before = this.globalStep.value;
    const raw = requireOutput(await this.#parts.summaries.aroundTrain(() => trainer.train(numSteps)), 'trainer.train');
    this.#parts.lengths.loopEnded(); // before the actions: one of them may restore a checkpoint of another loop
    this.#parts.results.checkStep(before, numSteps);
    for (const action of this.trainActions) await runAction(action, raw, this.#parts.context);
    await this.#parts.results.loopEnd(await getValues(raw));
  }

  /** Saves if there is a manager with an interval and, unless `checkInterval` is false, if that has passed. */
  protected async maybeSaveCheckpoint(options: { checkInterval?: boolean } = {}): Promise<boolean> {
    return (await this.#parts.checkpoints?.save(options.checkInterval ?? true)) ?? false;
  }

  /** The part, or a `UsageError` that says which method needs it. */
  protected requirePart<P extends 'trainer' | 'evaluator' | 'checkpointManager'>(part: P, method: string): NonNullable<this[P]> {
    if (this[part]) return this[part];
    throw new UsageError(`\`${part}\` is not set. Pass \`${part}\` to \`Controller\` before calling \`${method}()\`.`);
  }

  /** Restores the newest checkpoint if nothing was restored yet. */
  protected async restoreOnce(): Promise<void> {
    const path = this.#isRestored || !this.checkpointManager ? null : await this.restoreCheckpoint();
    if (path !== null) this.reporter.resumed?.({ path });
  }
}
