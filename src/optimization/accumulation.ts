/** Gradient accumulation: several small batches make one update, as one large batch would. */
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { initScope } from '../function/index.js';
import type { MaybeGradient } from './gradients.js';
import type { ApplyOptions, Optimizer } from './optimizer.js';
import type { LearningRate } from './schedule.js';
import { isFromLookup, markAsFromLookup } from './sparse-gradients.js';
import { createVariable, type SavedState, SlotVariables } from './state.js';
import type { StateDict } from '../checkpoint/index.js';

/** Which of the batches of an update a step is for; an update of one batch needs no accumulation. */
export type AccumulationPhase = 'first' | 'middle' | 'last';

/**
 * Stands in for an optimizer within a training step. `begin` says for which batch of an update the step is; then
 * `applyGradients` only adds up g·n of a batch of n examples, and with the last batch passes Σ g·n / Σ n to the optimizer. For a
 * loss that is a mean over examples this is the gradient of all the batches together, whatever their sizes; clipping, schedules,
 * averages and iterations of the optimizer see one update.
 *
 * The sums live between steps and need no checkpoint: the first batch overwrites them. Plain tfjs ops: call both inside `compile`,
 * one compiled function per phase.
 */
export class GradientAccumulation implements Optimizer {
  private readonly sums: SlotVariables;
  private readonly examples: tf.Variable;
  private phase: AccumulationPhase = 'first';
  private batchSize = 1;
  private total: tf.Tensor | null = null;
  /** Variables of which a batch had a gradient that did not come straight from a lookup. */
  private readonly dense = new Set<tf.Variable>();

  /** @param optimizer what does the updates */
  constructor(readonly optimizer: Optimizer) {
    this.sums = new SlotVariables('accumulation', () => ({ sum: { fill: 0 } }));
    this.examples = initScope(() => createVariable('accumulation/examples', tf.scalar(0)));
  }

  get name(): string {
    return this.optimizer.name;
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

  /**
   * A step of an update begins, inside the compiled function.
   * @param batchSize examples in its batch
   */
  begin(phase: AccumulationPhase, batchSize: number): void {
    if (!(batchSize > 0)) throw new UsageError(`Gradient accumulation needs batches of at least one example, got ${batchSize}.`);
    this.phase = phase;
    this.batchSize = batchSize;
    this.total = null;
    tf.tidy(() => {
      if (phase === 'first') this.examples.assign(tf.scalar(batchSize));
      else if (phase === 'middle') this.examples.assign(tf.add(this.examples, batchSize));
    });
    if (phase === 'last') this.total = tf.add(this.examples, batchSize);
  }

  applyGradients(gradientsAndVariables: readonly MaybeGradient[], options?: ApplyOptions): void {
    this.sums.build(gradientsAndVariables.flatMap(([gradient, variable]) => (gradient ? [variable] : [])));
    tf.tidy(() => {
      const totals = gradientsAndVariables.map(([gradient, variable]): MaybeGradient => [this.add(gradient ?? null, variable), variable]);
      if (this.phase === 'last') this.optimizer.applyGradients(totals, options);
    });
  }

  /** Computes the gradients of `loss` and adds or applies them; see the optimizers' own `minimize`. */
  minimize(loss: () => tf.Scalar, returnCost = false, variables?: tf.Variable[]): tf.Scalar | null {
    const { value, grads } = tf.variableGrads(loss, variables);
    const all = (variables ?? Object.keys(grads).map((name) => tf.engine().registeredVariables[name]!)) as tf.Variable[];
    this.applyGradients(all.map((variable) => [grads[variable.name] ?? null, variable]));
    tf.dispose(grads);
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  /** Adds the gradient of one batch; returns that of the update with its last batch, else null. */
  private add(gradient: tf.Tensor | null, variable: tf.Variable): tf.Tensor | null {
    const sum = this.sums.of(variable)?.['sum'];
    if (sum === undefined) return null; // no batch had a gradient for it
    if (gradient !== null && !isFromLookup(gradient)) this.dense.add(variable);
    const weighted = gradient === null ? null : tf.mul(gradient, this.batchSize);
    if (this.phase === 'first') sum.assign(weighted ?? tf.zerosLike(sum));
    else if (this.phase === 'middle') sum.assign(weighted === null ? sum : tf.add(sum, weighted));
    else {
      const whole = tf.div(weighted === null ? sum : tf.add(sum, weighted), this.total!);
      if (!this.dense.has(variable)) markAsFromLookup(whole);
      return whole;
    }
    return null;
  }

  currentLearningRate(): number {
    return this.optimizer.currentLearningRate();
  }

  setVariablePaths(paths: ReadonlyMap<unknown, string>): void {
    this.optimizer.setVariablePaths(paths);
  }

  /** Makes the sums and the optimizer's own slots. */
  build(variables: readonly tf.Variable[]): void {
    this.sums.build(variables);
    this.optimizer.build(variables);
  }

  variables(): Record<string, tf.Variable> {
    return this.optimizer.variables();
  }

  stateDict(): SavedState {
    return this.optimizer.stateDict();
  }

  loadStateDict(state: StateDict): void {
    this.optimizer.loadStateDict(state);
  }

  /** Frees the sums; the optimizer stays. */
  dispose(): void {
    this.sums.dispose();
    this.examples.dispose();
  }
}
