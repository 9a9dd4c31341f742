/** Lowering the learning rate when a result no longer gets better. */
import type { StateDict } from '../checkpoint/index.js';
import { ScaledRate, type Optimizer } from '../optimization/index.js';
import { getValues, type ActionContext, type ActionObject, type Output } from '../orbit/index.js';
import { Plateau, wrong, type PlateauOptions } from './plateau.js';

/** Options of {@link ReduceOnPlateau}. */
export interface ReduceOnPlateauOptions extends PlateauOptions {
  /** Its learning rate, a number or a schedule, is scaled. */
  optimizer: Optimizer;
  /** Evaluations in a row without a better value after which the rate is lowered. Default 3. */
  patience?: number;
  /** The rate is multiplied by this, between 0 and 1. Default 0.1. */
  factor?: number;
  /** Evaluations after a reduction that do not count. Default 0. */
  cooldown?: number;
  /** The rate is not lowered below this. Default 0. */
  minLearningRate?: number;
  /** Where a notice of each reduction goes. Default: nowhere. */
  log?: (line: string) => void;
}

/**
 * An eval action: multiplies the learning rate by `factor` after `patience` evaluations in a row that were not better than the
 * best before them. A schedule goes on below the factor. Factor and counts are part of checkpoints.
 */
export class ReduceOnPlateau implements ActionObject {
  readonly #options: Required<Omit<ReduceOnPlateauOptions, keyof PlateauOptions>>;
  readonly #plateau: Plateau;
  readonly #rate: ScaledRate;
  #cooldown = 0;

  /** @throws ConfigError for an option out of range */
  constructor(options: ReduceOnPlateauOptions) {
    const where = 'trainer.reduce_on_plateau';
    this.#options = { patience: 3, factor: 0.1, cooldown: 0, minLearningRate: 0, log: () => {}, ...options };
    this.#plateau = new Plateau(options, where);
    const { patience, factor, cooldown, minLearningRate, optimizer } = this.#options;
    if (!(Number.isInteger(patience) && patience >= 1))
      throw wrong(where, 'patience', `must be a number of evaluations of at least 1, not ${patience}.`);
    if (!(factor > 0 && factor < 1)) throw wrong(where, 'factor', `must lie between 0 and 1, not ${factor}.`);
    if (!(Number.isInteger(cooldown) && cooldown >= 0)) throw wrong(where, 'cooldown', `must be a number of evaluations, not ${cooldown}.`);
    if (!(minLearningRate >= 0)) throw wrong(where, 'min_learning_rate', `must be 0 or more, not ${minLearningRate}.`);
    this.#rate = new ScaledRate(optimizer.learningRate);
    optimizer.learningRate = this.#rate;
  }

  /** What the learning rate is multiplied by now. */
  get scale(): number {
    return this.#rate.factor;
  }

  /** Looks at the results of an evaluation. */
  async run(output: Output, { globalStep }: ActionContext): Promise<void> {
    this.#plateau.update(await getValues(output), globalStep.value);
    if (this.#cooldown > 0) {
      this.#cooldown -= 1;
      this.#plateau.waited = 0;
      return;
    }
    if (this.#plateau.waited < this.#options.patience) return;
    this.#reduce(globalStep.value);
    this.#plateau.waited = 0;
    this.#cooldown = this.#options.cooldown;
  }

  /** The state, for checkpoints. */
  stateDict(): StateDict {
    return { ...this.#plateau.stateDict(), cooldown: this.#cooldown, scale: this.#rate.factor };
  }

  /** Takes over a saved state, also the learning rate's scale. */
  loadStateDict(state: StateDict): void {
    this.#plateau.loadStateDict(state);
    this.#cooldown = Number(state['cooldown'] ?? 0);
    this.#rate.factor = Number(state['scale'] ?? 1);
  }

  #reduce(step: number): void {
    const { optimizer, factor, minLearningRate, log } = this.#options;
    const before = optimizer.currentLearningRate();
    if (before <= minLearningRate) return;
    const wanted = Math.max(before * factor, minLearningRate);
    this.#rate.factor *= wanted / before;
    log(`step ${step}: the learning rate is lowered from ${Number(before.toPrecision(4))} to ${Number(wanted.toPrecision(4))}.`);
  }
}
