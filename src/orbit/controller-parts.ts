/** What a controller works with: its checkpoints, summaries, hooks and results. */
import { ActionHooks } from './action.js';
import { Checkpointing } from './checkpointing.js';
import type { CheckpointManagerLike } from './checkpoint-manager-like.js';
import type { ControllerOptions } from './controller-options.js';
import { ControllerSummaries } from './controller-summaries.js';
import { LoopLengths } from './loop-lengths.js';
import type { ControllerReporter } from './reporter.js';
import { Results } from './results.js';
import { TrainingSpan } from './training-span.js';
import type { Action, ActionContext, GlobalStep } from './types.js';

/** What the parts need of their controller. */
export interface PartsOwner {
  readonly globalStep: GlobalStep;
  readonly checkpointManager: CheckpointManagerLike | null;
  readonly reporter: ControllerReporter;
  readonly trainActions: readonly Action[];
  readonly evalActions: readonly Action[];
  stop(reason: string): void;
}

/** The parts of one controller, made of its options. */
export class ControllerParts {
  /** How long loops are, and when evaluations follow. */
  readonly lengths: LoopLengths;
  /** What actions are told. */
  readonly context: ActionContext;
  /** The hooks of actions. */
  readonly hooks: ActionHooks;
  /** Event files. */
  readonly summaries: ControllerSummaries;
  /** The training under way. */
  readonly training: TrainingSpan;
  /** Reports and writes what loops and evaluations give. */
  readonly results: Results;
  /** Saves and restores; null without a manager. */
  readonly checkpoints: Checkpointing | null;

  constructor(options: ControllerOptions, owner: PartsOwner) {
    const { globalStep, reporter, checkpointManager: manager } = owner;
    this.lengths = new LoopLengths(globalStep, options.stepsPerLoop ?? 1, options.loopClock ?? null);
    this.context = { globalStep, checkpointManager: manager, stop: (reason) => owner.stop(reason) };
    this.hooks = new ActionHooks(this.context, owner.trainActions, owner.evalActions);
    this.summaries = new ControllerSummaries(options);
    this.training = new TrainingSpan({ globalStep, reporter, hooks: this.hooks });
    this.results = new Results({ globalStep, reporter, summaries: this.summaries, samplesPerStep: options.samplesPerStep ?? null });
    this.checkpoints =
      manager &&
      new Checkpointing({
        ...{ manager, globalStep, reporter },
        onSaved: (event) => this.hooks.checkpointSaved(event),
        strategy: options.strategy ?? null,
        background: options.enableAsyncCheckpointing ?? false,
        iterator: options.checkpointsIterator ?? null,
      });
  }
}
