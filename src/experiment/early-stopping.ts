/** Ending a training that no longer gets better. */
import type { StateDict } from '../checkpoint/index.js';
import { getValues, type ActionContext, type ActionObject, type Output } from '../orbit/index.js';
import { Plateau, wrong, type PlateauOptions } from './plateau.js';

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends PlateauOptions {
  /** Evaluations in a row without a better value after which training ends. Default 3. */
  patience?: number;
}

/**
 * An eval action: ends the training after `patience` evaluations in a row that were not better than the best before them. Its
 * count is part of checkpoints, so that a resumed run ends where one that never stopped would, and a run that it ended stays ended
 * unless `patience` is raised.
 *
 * ```ts
 * await runExperiment({ …, mode: 'train_and_eval', evalActions: [new EarlyStopping({ metric: 'validation_loss', patience: 5 })] });
 * ```
 */
export class EarlyStopping implements ActionObject {
  readonly #plateau: Plateau;
  readonly #patience: number;
  readonly #metric: string;

  /** @throws ConfigError for an option out of range */
  constructor(options: EarlyStoppingOptions) {
    const { patience = 3 } = options;
    this.#plateau = new Plateau(options, 'trainer.early_stopping');
    if (!(Number.isInteger(patience) && patience >= 1))
      throw wrong('trainer.early_stopping', 'patience', `must be a number of evaluations of at least 1, not ${patience}.`);
    this.#patience = patience;
    this.#metric = options.metric;
  }

  /** The best value so far, or null. */
  get best(): number | null {
    return this.#plateau.best;
  }

  /** Stops at once a run that had ended so before. */
  trainBegin(context: ActionContext): void {
    this.#stopIfDue(context);
  }

  /** Looks at the results of an evaluation. */
  async run(output: Output, context: ActionContext): Promise<void> {
    this.#plateau.update(await getValues(output), context.globalStep.value);
    this.#stopIfDue(context);
  }

  /** The state, for checkpoints. */
  stateDict(): StateDict {
    return this.#plateau.stateDict();
  }

  /** Takes over a saved state. */
  loadStateDict(state: StateDict): void {
    this.#plateau.loadStateDict(state);
  }

  #stopIfDue(context: ActionContext): void {
    const { waited, best } = this.#plateau;
    if (waited < this.#patience) return;
    const since =
      best === null ? `${this.#metric} was never a number` : `${this.#metric} has not been better than ${Number(best.toPrecision(6))}`;
    context.stop(`early stopping: ${since} for ${waited} evaluation${waited === 1 ? '' : 's'}`);
  }
}
