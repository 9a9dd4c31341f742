/** What happens when training blows up: notice it, go back to the last checkpoint, give up after too many times. */
import { TrainingError } from '../errors.js';
import { notice } from '../notice.js';
import type { StateDict } from '../checkpoint/index.js';
import { getValue } from '../orbit/index.js';
import type { ActionObject, CheckpointManagerLike, GlobalStep, Output } from '../orbit/index.js';

/** Options of {@link RecoveryCondition}. */
export interface RecoveryConditionOptions {
  /** The step counter; its value decides whether the bound is in force. */
  globalStep: GlobalStep;
  /** Largest `training_loss` that is accepted; a loss strictly above it (infinity included) counts as blown up. */
  lossUpperBound: number;
  /** The bound is in force from this step on. A loss that is not a number is never accepted. Default 0. */
  recoveryBeginSteps?: number;
  /** How many blow-ups may be rolled back; one more is a `TrainingError`. 0 fails at the first. Default 3. */
  recoveryMaxTrials?: number;
  /** Where blow-ups are counted, so that the count can be part of checkpoints. Default: a count of its own. */
  counter?: RecoveryCounter;
  /** Adds to the error's message, such as the first step at which the loss was not a number. `isFinite` tells whether the loss was a finite number, merely too high. */
  explain?: (isFinite: boolean) => string | Promise<string>;
  /** Whether the model's variables are finite numbers; asked when the loss is accepted. Default: they are not looked at. */
  isStateFinite?: () => boolean | Promise<boolean>;
}

/** How many blow-ups a run has seen; part of its checkpoints. */
export class RecoveryCounter {
  /** Blow-ups seen so far. */
  trials = 0;

  /** The count, for checkpoints. */
  stateDict(): { trials: number } {
    return { trials: this.trials };
  }

  /** Takes over a saved count; a roll-back to an older checkpoint never lowers it. */
  loadStateDict(state: StateDict): void {
    this.trials = Math.max(this.trials, Number(state['trials']));
  }
}

/**
 * True when the `training_loss` of a loop is not a number or above the bound. It counts how often that happened; the count
 * never decreases, belongs to checkpoints, and ends training once it exceeds `recoveryMaxTrials`.
 */
export class RecoveryCondition {
  /** Counts the blow-ups. */
  readonly counter: RecoveryCounter;
  readonly #options: RecoveryConditionOptions & { readonly recoveryBeginSteps: number; readonly recoveryMaxTrials: number };

  constructor(options: RecoveryConditionOptions) {
    this.#options = { recoveryBeginSteps: 0, recoveryMaxTrials: 3, ...options };
    this.counter = options.counter ?? new RecoveryCounter();
  }

  /**
   * Judges the logs of one inner loop.
   * @throws TrainingError when the logs lack `training_loss`, or when there were more blow-ups than allowed
   */
  async test(output: Output): Promise<boolean> {
    if (output['training_loss'] === undefined) {
      throw new TrainingError(
        `The recovery check needs the key "training_loss" in the logs of the training loop, which hold ${Object.keys(output).join(', ') || 'nothing'}. ` +
          'Return it from trainLoopEnd(), or switch recovery off with trainer.recovery_max_trials: -1.',
      );
    }
    const loss = Number(await getValue(output['training_loss']));
    const { globalStep, lossUpperBound, recoveryBeginSteps } = this.#options;
    const always = 'trainer.recovery_begin_steps does not apply to it';
    if (Number.isNaN(loss)) return this.#count('training_loss is not a number', always, false);
    if (loss === -Infinity) return this.#count('training_loss is -Infinity', always, false);
    if (globalStep.value >= recoveryBeginSteps && loss > lossUpperBound) {
      return this.#count(`training_loss is ${loss}`, `above trainer.loss_upper_bound ${lossUpperBound}`, Number.isFinite(loss));
    }
    if ((await this.#options.isStateFinite?.()) === false)
      return this.#count(`training_loss is ${loss}, but variables of the model are no finite numbers`, always, false);
    return false;
  }

  async #count(what: string, rule: string, isFinite: boolean): Promise<boolean> {
    const trials = ++this.counter.trials;
    const { recoveryMaxTrials, globalStep, explain } = this.#options;
    if (trials > recoveryMaxTrials) {
      const details = (await explain?.(isFinite)) ?? '';
      throw new TrainingError(
        `Training blew up: ${what} at step ${globalStep.value} (${rule}), blow-up number ${trials} with ` +
          `trainer.recovery_max_trials ${recoveryMaxTrials}. ${details === '' ? '' : `${details} `}` +
          'Try a smaller learning rate, warm-up or gradient clipping; recovery_max_trials > 0 rolls back to the last checkpoint, -1 switches the check off.',
      );
    }
    return true;
  }
}

/** Options of {@link RecoveryAction}. */
export interface RecoveryActionOptions {
  /** The manager whose newest checkpoint is restored. */
  checkpointManager: CheckpointManagerLike;
  /** Wraps the restore, for example to leave the data position as it is. Default: just restores. */
  during?: (restore: () => Promise<string | null>) => Promise<string | null>;
  /** Where the notice goes. Default: one line on standard error. */
  warn?: (message: string) => void;
}

/**
 * Goes back to the newest checkpoint: model, optimizer and global step. Training continues from that step with the
 * batches that follow. Without any checkpoint the manager's initialiser runs and nothing is undone.
 */
export class RecoveryAction implements ActionObject {
  readonly #options: RecoveryActionOptions;

  constructor(options: RecoveryActionOptions) {
    this.#options = options;
  }

  /** Restores; waits for a background save first, so that it is not overlooked. */
  async run(): Promise<void> {
    const { checkpointManager, during = (restore) => restore(), warn = (text) => notice(text) } = this.#options;
    await checkpointManager.sync();
    const path = await during(() => checkpointManager.restoreOrInitialize());
    warn(
      path === null
        ? 'Training blew up before the first checkpoint: there is nothing to go back to, training goes on as it is.'
        : `Training blew up: went back to ${path}, training goes on from there.`,
    );
  }
}
