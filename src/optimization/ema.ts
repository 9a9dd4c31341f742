import * as tf from '#tf';
import { UsageError } from '../errors.js';
import type { StateDict } from '../checkpoint/index.js';
import { nameScope } from '../function/index.js';
import type { MaybeGradient } from './gradients.js';
import type { ApplyOptions, Optimizer } from './optimizer.js';
import { type Given, readOptions, requireInteger, requireNumber } from './options.js';
import type { LearningRate } from './schedule.js';
import { type SavedState, SlotVariables } from './state.js';

/** Options of `ExponentialMovingAverage`. */
export interface ExponentialMovingAverageOptions {
  /** Name in messages. */
  name: string;
  /** Whether to average trainable variables only, or also those such as batch-normalisation statistics. Default true. */
  trainableWeightsOnly: boolean;
  /** Largest decay d in [0, 1]. Default 0.99. */
  averageDecay: number;
  /** Number of updates before averaging begins; until then averages equal the variables. Default 0. */
  startStep: number;
  /** Whether d grows with the number of updates, so that early averages forget their start. Default true. */
  dynamicDecay: boolean;
  /** Accepted as in the original's config, without effect: clipping belongs to the wrapped optimizer. */
  clipnorm: number | null;
  /** See `clipnorm`. */
  clipvalue: number | null;
  /** See `clipnorm`. */
  globalClipnorm: number | null;
}

/**
 * Keeps moving averages of a model's variables while another optimizer trains them.
 *
 * After each update, with n updates done and k = n − startStep: d = 0 for k < 0; else min(averageDecay, (1 + k)/(10 + k)) with
 * dynamic decay, averageDecay without; a ← a − (1 − d)·(a − w). Averages start at 0. Call `shadowCopy` before the first update.
 * Learning rate, iterations and slots are the wrapped optimizer's.
 */
export class ExponentialMovingAverage implements Optimizer {
  readonly name: string;
  private readonly options: ExponentialMovingAverageOptions;
  private readonly averages: SlotVariables;

  /** @param optimizer the optimizer that does the updates. */
  constructor(
    readonly optimizer: Optimizer,
    options: Given<ExponentialMovingAverageOptions> = {},
  ) {
    this.options = readOptions<ExponentialMovingAverageOptions>(
      options,
      {
        name: 'ExponentialMovingAverage',
        trainableWeightsOnly: true,
        averageDecay: 0.99,
        startStep: 0,
        dynamicDecay: true,
        clipnorm: null,
        clipvalue: null,
        globalClipnorm: null,
      },
      'ExponentialMovingAverage',
    );
    this.name = this.options.name;
    requireNumber(this.options.averageDecay, 'average_decay', this.name, 0, 1);
    requireInteger(this.options.startStep, 'start_step', this.name, 0);
    this.averages = new SlotVariables(this.name, () => ({ average: { fill: 0 } }));
  }

  get iterations(): tf.Variable {
    return this.optimizer.iterations;
  }

  get learningRate(): LearningRate {
    return this.optimizer.learningRate;
  }

  set learningRate(rate: LearningRate) {
    this.optimizer.learningRate = rate;
  }

  /** Whether `shadowCopy` was called. */
  get hasShadowCopy(): boolean {
    return this.averages.isBuilt;
  }

  /**
   * Makes one average, starting at 0, for each of the model's variables (the trainable ones unless `trainableWeightsOnly` is
   * false). A second call adds variables that have none yet.
   */
  shadowCopy(variables: readonly tf.Variable[]): void {
    this.averages.build(variables.filter((v) => v.dtype === 'float32' && (v.trainable || !this.options.trainableWeightsOnly)));
  }

  /** The average of a variable, if it has one. */
  averageOf(variable: tf.Variable): tf.Variable | undefined {
    return this.averages.of(variable)?.average;
  }

  applyGradients(gradientsAndVariables: readonly MaybeGradient[], options?: ApplyOptions): void {
    if (!this.hasShadowCopy)
      throw new UsageError(`${this.name}: call shadowCopy(variables) before the first update, so that it knows what to average.`);
    this.optimizer.applyGradients(gradientsAndVariables, options);
    const update = (): void => {
      const rest = this.oneMinusDecay();
      for (const [variable, average] of this.pairs()) {
        average.assign(tf.sub(average, tf.mul(tf.sub(average, variable), rest)));
      }
    };
    nameScope('average', () => tf.tidy(update), { atCaller: true });
  }

  /** Exchanges averages and variables. Twice changes nothing. */
  swapWeights(): void {
    if (!this.hasShadowCopy) throw new UsageError(`${this.name}: call shadowCopy(variables) before swapWeights().`);
    tf.tidy(() => {
      for (const [variable, average] of this.pairs()) {
        const old = tf.clone(variable);
        variable.assign(average);
        average.assign(old);
      }
    });
  }

  /** Copies the averages into the given variables, which must have one. */
  assignAverageVars(variables: readonly tf.Variable[]): void {
    for (const variable of variables) {
      const average = this.averageOf(variable);
      if (!average) throw new UsageError(`${this.name}: variable "${variable.name}" has no average. Pass it to shadowCopy first.`);
      tf.tidy(() => variable.assign(tf.clone(average)));
    }
  }

  currentLearningRate(): number {
    return this.optimizer.currentLearningRate();
  }

  setVariablePaths(paths: ReadonlyMap<unknown, string>): void {
    this.averages.paths = paths;
    this.optimizer.setVariablePaths(paths);
  }

  build(variables: readonly tf.Variable[]): void {
    this.optimizer.build(variables);
  }

  /** As for the wrapped optimizer, and `average/<variable path>`. */
  variables(): Record<string, tf.Variable> {
    return { ...this.optimizer.variables(), ...this.averages.variables() };
  }

  stateDict(): SavedState {
    return { ...this.optimizer.stateDict(), ...this.averages.save() };
  }

  loadStateDict(state: StateDict): void {
    const isAverage = ([path]: [string, unknown]) => path.startsWith('average/');
    this.averages.load(Object.fromEntries(Object.entries(state).filter(isAverage)));
    this.optimizer.loadStateDict(Object.fromEntries(Object.entries(state).filter((entry) => !isAverage(entry))));
  }

  dispose(): void {
    this.averages.dispose();
    this.optimizer.dispose();
  }

  private pairs(): [tf.Variable, tf.Variable][] {
    return [...this.averages.entries()].map(([variable, slots]) => [variable, slots.average!]);
  }

  /** 1 − d after an update, from the number of updates done. 9/(10 + k) is 1 − (1 + k)/(10 + k), and 1 at k = −1. */
  private oneMinusDecay(): tf.Scalar {
    const { averageDecay, startStep, dynamicDecay } = this.options;
    const k = tf.sub(this.iterations, tf.scalar(startStep, 'int32'));
    if (!dynamicDecay) return tf.where(tf.less(k, tf.scalar(0, 'int32')), tf.scalar(1), tf.scalar(1 - averageDecay)) as tf.Scalar;
    const growing = tf.div(9, tf.add(tf.cast(tf.maximum(k, tf.scalar(-1, 'int32')), 'float32'), 10));
    return tf.maximum(growing, 1 - averageDecay) as tf.Scalar;
  }
}
