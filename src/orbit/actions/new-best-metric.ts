/** Notices when a metric is better than ever before. */
import { UsageError } from '../../errors.js';
import type { ActionObject, Output } from '../types.js';
import { getNumber } from '../values.js';
import { JSONPersistedValue } from './json-persisted-value.js';

/** The metric of an output: its key, or a function that takes or computes it. */
export type MetricSource = string | ((output: Output) => unknown);

/** Settings of a {@link NewBestMetric}. */
export interface NewBestMetricOptions {
  /** Whether more is better. Default true. */
  higherIsBetter?: boolean | null;
  /** JSON file that keeps the best value for the next process. Default: none. */
  filename?: string | null;
  /** Write to the file; false only reads it. Default true. */
  writeMetric?: boolean | null;
}

/** Where the best value starts: the worst finite number. */
const WORST = Number.MAX_VALUE;

/**
 * Keeps the best value of a metric. As an action it keeps the value up to date; as the condition of a `ConditionalAction` it
 * lets the actions run at each new best.
 */
export class NewBestMetric implements ActionObject {
  /** Key of the metric in the output, or the function that takes it. */
  readonly metric: MetricSource;
  /** Whether more is better. */
  readonly higherIsBetter: boolean;
  readonly #best: JSONPersistedValue<number | string>;

  constructor(metric: MetricSource, options: NewBestMetricOptions = {}) {
    if ((typeof metric !== 'string' || metric === '') && typeof metric !== 'function') {
      throw new UsageError('`metric` should be a key of the output, or a function of the output.');
    }
    this.metric = metric;
    this.higherIsBetter = options.higherIsBetter ?? true;
    const start = this.higherIsBetter ? -WORST : WORST;
    this.#best = new JSONPersistedValue<number | string>(start, options.filename, { writeValue: options.writeMetric ?? true });
  }

  /** Makes one and reads its file, so that `bestValue` can be read at once. */
  static async create(metric: MetricSource, options: NewBestMetricOptions = {}): Promise<NewBestMetric> {
    const made = new NewBestMetric(metric, options);
    await made.load();
    return made;
  }

  /** Reads the file; otherwise that happens at the first use. */
  async load(): Promise<void> {
    await this.#best.load();
  }

  /** The best value so far; ∓1.797…e308 before the first. With a file that was not read yet: `UsageError`. */
  get bestValue(): number {
    return Number(this.#best.value);
  }

  /** The metric of an output, as a number. A missing key is a `UsageError` that lists those there are. */
  async metricValue(output: Output): Promise<number> {
    if (typeof this.metric === 'function') return getNumber(await this.metric(output), 'The metric');
    if (!(this.metric in output)) {
      throw new UsageError(`The output has no metric \`${this.metric}\`. It has: ${Object.keys(output).join(', ') || 'nothing'}.`);
    }
    return getNumber(output[this.metric], `The metric \`${this.metric}\``);
  }

  /** Whether the output is strictly better than the best value. NaN never is. Changes nothing. */
  async test(output: Output): Promise<boolean> {
    return this.#isBetter(await this.metricValue(output));
  }

  /** Stores the output's metric if it is better than the best value; resolves to whether it was. */
  async commit(output: Output): Promise<boolean> {
    const value = await this.metricValue(output);
    if (!(await this.#isBetter(value))) return false;
    // JSON has no infinities.
    await this.#best.write(Number.isFinite(value) ? value : String(value));
    return true;
  }

  /** Same as {@link commit}. */
  run(output: Output): Promise<boolean> {
    return this.commit(output);
  }

  async #isBetter(value: number): Promise<boolean> {
    const best = Number(await this.#best.read());
    return this.higherIsBetter ? value > best : value < best;
  }
}
