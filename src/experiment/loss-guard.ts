/** The runner's watch over the loss: what blew up is rolled back or ends the run, and is never saved. */
import type { ActionContext, ActionObject, CheckpointManagerLike, Output } from '../orbit/index.js';
import { searchNonFinite } from './non-finite-search.js';
import { RecoveryAction, RecoveryCondition } from './recovery.js';
import { writeRecoveryRecord } from './recovery-record.js';
import { drawAnew } from './resume.js';
import type { Trainer } from './trainer.js';

/** What a {@link LossGuard} works with. */
export interface LossGuardOptions {
  /** Whose loss is watched. */
  trainer: Trainer;
  /** Its newest checkpoint is what a blow-up goes back to. */
  manager: CheckpointManagerLike;
  /** Makes a trainer as at the start of the run, whose steps are made again to find the first bad tensor; null: it cannot be made. */
  rebuild: () => Promise<Trainer | null>;
  /** Where notices go. */
  warn: (message: string) => void;
}

/**
 * A train action: tests the loss of each loop, and before a save also the model's variables, so that the newest checkpoint is a good
 * one. A blow-up is rolled back as often as `trainer.recovery_max_trials` allows; the next one is a `TrainingError` that names
 * the first bad step and the first bad tensor.
 */
export class LossGuard implements ActionObject {
  readonly #options: LossGuardOptions;
  readonly #condition: RecoveryCondition;
  readonly #action: RecoveryAction;
  /** Step of the newest checkpoint, as far as it is known. */
  #savedStep: number | null = null;

  constructor(options: LossGuardOptions) {
    const { trainer, manager, warn } = options;
    const { recovery_max_trials, recovery_begin_steps, loss_upper_bound } = trainer.config.trainer;
    this.#options = options;
    this.#condition = new RecoveryCondition({
      globalStep: trainer.globalStep,
      lossUpperBound: loss_upper_bound,
      recoveryBeginSteps: recovery_begin_steps,
      recoveryMaxTrials: recovery_max_trials,
      counter: trainer.recovery,
      explain: (isFinite) => (isFinite ? '' : this.#explain()),
      isStateFinite: () => !this.#maySave() || trainer.isFinite(),
    });
    this.#action = new RecoveryAction({ checkpointManager: manager, during: (restore) => rollBack(trainer, restore), warn });
  }

  /** Notes where the run begins. */
  trainBegin({ globalStep, checkpointManager }: ActionContext): void {
    if (checkpointManager !== null && checkpointManager.latestCheckpoint !== null) this.#savedStep = globalStep.value;
  }

  /** Notes what is saved. */
  checkpointSaved({ step }: { readonly step: number }): void {
    this.#savedStep = step;
  }

  /** Tests the loss of a loop. @throws TrainingError when it blew up once too often */
  async run(output: Output): Promise<void> {
    const { manager, trainer } = this.#options;
    if (!(await this.#condition.test(trainer.watchedLogs(output)))) return;
    const goesOn = trainer.config.trainer.recovery_data !== 'rewind';
    const position = goesOn ? trainer.dataPosition.stateDict() : null;
    await writeRecoveryRecord(manager.directory, { trials: trainer.recovery.trials, position });
    await this.#action.run();
  }

  /** Whether a checkpoint may be saved after this loop. */
  #maySave(): boolean {
    const {
      train_steps,
      checkpoint_interval: interval,
      checkpoint_interval_epochs,
      checkpoint_interval_seconds,
    } = this.#options.trainer.config.trainer;
    const step = this.#options.trainer.globalStep.value;
    if (checkpoint_interval_epochs > 0 || checkpoint_interval_seconds > 0) return true;
    return interval > 0 && (this.#savedStep === null || step >= this.#savedStep + interval || step >= train_steps);
  }

  async #explain(): Promise<string> {
    const { trainer, manager, warn, rebuild } = this.#options;
    const spoilt = trainer.firstBadStep;
    const step = spoilt ?? trainer.globalStep.value;
    const first = spoilt === null ? '' : `The first loss that is not a finite number was that of step ${spoilt + 1}. `;
    if (!trainer.config.trainer.replay_non_finite) return first.trimEnd();
    try {
      await manager.sync();
      const from = manager.latestCheckpoint;
      const replica = await rebuild();
      if (replica === null && from === null) {
        return `${first}Which tensor it was is not known: there is no checkpoint from which the steps could be made again.`;
      }
      return first + (await searchNonFinite({ trainer: replica ?? trainer, from, badStep: spoilt ?? step, log: warn }));
    } catch (error) {
      return `${first}Which tensor it was could not be found: ${(error as Error).message}`; // the blow-up is what has to be told
    }
  }
}

/**
 * Restores while the data stay where they are (unless `trainer.recovery_data` says `rewind`), so that the repeated steps see
 * other batches, and draws other random numbers than the failed attempt: the same batch with the same numbers would blow up
 * again.
 */
async function rollBack(trainer: Trainer, restore: () => Promise<string | null>): Promise<string | null> {
  trainer.dataPosition.follows = trainer.config.trainer.recovery_data === 'rewind';
  try {
    const path = await restore();
    drawAnew(trainer.recovery.trials);
    return path;
  } finally {
    trainer.dataPosition.follows = true;
  }
}
