/** Noticing that a result of the evaluations has stopped getting better. */
import type { StateDict } from '../checkpoint/index.js';
import { ConfigError } from '../errors.js';
import type { MetricComparison } from './best-checkpoint.js';
import type { Output } from '../orbit/index.js';
import { getLeafNestedDict, leafToNumber } from './nested-logs.js';

/** What is watched, and when it counts as better. */
export interface PlateauOptions {
  /** Result of the evaluation; names inside nested results are joined with `|`. */
  metric: string;
  /** Whether a higher or a lower value is better. Default `lower`. */
  metricComp?: MetricComparison;
  /** A change smaller than this does not count as better. Default 0: any does. */
  minDelta?: number;
  /** Evaluations before this step do not count. Default 0. */
  beginSteps?: number;
}

/** Counts the evaluations in a row that were not better than the best before them. */
export class Plateau {
  /** The best value so far, or null before the first that counts. */
  best: number | null = null;
  /** Evaluations since the best one. */
  waited = 0;
  readonly #options: Required<PlateauOptions>;
  readonly #where: string;

  /** @param where begins error messages, such as `trainer.early_stopping` */
  constructor(options: PlateauOptions, where: string) {
    this.#options = { metricComp: 'lower', minDelta: 0, beginSteps: 0, ...options };
    this.#where = where;
    const { metric, metricComp, minDelta } = this.#options;
    if (!metric) throw wrong(where, 'metric', 'name a result of the evaluation, such as validation_loss.');
    if (metricComp !== 'higher' && metricComp !== 'lower')
      throw wrong(where, 'metric_comp', `must be "higher" or "lower", not "${String(metricComp)}".`);
    if (!(minDelta >= 0)) throw wrong(where, 'min_delta', `must be 0 or more, not ${minDelta}.`);
  }

  /**
   * Takes the results of an evaluation. NaN is never better.
   * @returns the value
   * @throws ConfigError if they lack the metric, with those that they have
   */
  update(output: Output, step: number): number {
    const value = this.#valueOf(output);
    if (step < this.#options.beginSteps) return value;
    const { metricComp, minDelta } = this.#options;
    const gain = this.best === null ? Infinity : metricComp === 'higher' ? value - this.best : this.best - value;
    if (!Number.isNaN(value) && (gain > minDelta || (this.best !== null && !Number.isFinite(this.best) && Number.isFinite(value)))) {
      this.best = value;
      this.waited = 0;
    } else this.waited += 1;
    return value;
  }

  /** The state, for checkpoints. */
  stateDict(): { best: number | null; waited: number } {
    return { best: this.best, waited: this.waited };
  }

  /** Takes over a saved state. */
  loadStateDict(state: StateDict): void {
    this.best = state['best'] === null || state['best'] === undefined ? null : Number(state['best']);
    this.waited = Number(state['waited'] ?? 0);
  }

  #valueOf(output: Output): number {
    const { metric } = this.#options;
    try {
      return leafToNumber(getLeafNestedDict(output, metric.split('|'))) ?? NaN;
    } catch (error) {
      throw wrong(this.#where, 'metric', `${(error as Error).message} Name one of the results of the evaluation.`, error);
    }
  }
}

/** An error about one field of an action's config. */
export function wrong(where: string, field: string, text: string, cause?: unknown): ConfigError {
  return new ConfigError(`${where}.${field}: ${text}`, { path: `${where}.${field}`, cause });
}
