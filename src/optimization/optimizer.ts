import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { notice } from '../notice.js';
import type { StateDict } from '../checkpoint/index.js';
import { initScope, nameScope } from '../function/index.js';
import { constrained } from './constraint.js';
import { CurrentRate } from './current-rate.js';
import {
  type Clipping,
  type GradientAggregator,
  type GradientAndVariable,
  type GradientTransformer,
  type MaybeGradient,
  sumOverReplicas,
  transformGradients,
} from './gradients.js';
import { type LearningRateMultiplier, type Multipliers, readMultipliers } from './learning-rate-multipliers.js';
import { learningRateAt, type LearningRate } from './schedule.js';
import { isFromLookup, onlyTouchedRows, watchLookups } from './sparse-gradients.js';
import { checkGradient, checkUpdated } from './optimizer-checks.js';
import { createVariable, type SavedState, SlotVariables } from './state.js';
import type { UpdateRule } from './update-rule.js';
import type { WeightDecay } from './weight-decay.js';

export type { Slots, Updated, UpdateRule } from './update-rule.js';

/** Options of an update. */
export interface ApplyOptions {
  /** False: the caller has summed the gradients over replicas; they are neither summed again nor clipped per replica. Default true. */
  readonly aggregate?: boolean;
}

/** What the trainer, the compiler and checkpoints use of an optimizer. */
export interface Optimizer {
  /** Name from the config, such as `Adam`. */
  readonly name: string;
  /** Number of updates done: an int32 scalar, not trainable, counted in the graph. */
  readonly iterations: tf.Variable;
  /** The rate or schedule. A number may be replaced at any time, also between calls of a compiled step. */
  learningRate: LearningRate;
  /** The multipliers of the learning rate that it was made with; the factory refuses optimizers that ignore them. */
  readonly learningRateMultipliers?: readonly LearningRateMultiplier[] | null;
  /** The learning rate of the next update, read on the host. */
  currentLearningRate(): number;
  /** Names variables by object paths, for weight-decay patterns and state. Call before the first update. */
  setVariablePaths(paths: ReadonlyMap<unknown, string>): void;
  /** Makes the slots of `variables` that have none yet. Otherwise the first update does. */
  build(variables: readonly tf.Variable[]): void;
  /** Does one update. Plain tfjs ops: works eagerly and inside `compile`. Missing gradients leave their variable alone. */
  applyGradients(gradientsAndVariables: readonly MaybeGradient[], options?: ApplyOptions): void;
  /** Everything that an exact resume needs, by path: `iterations`, `<slot>/<variable path>`. */
  variables(): Record<string, tf.Variable>;
  /** A host copy of `variables()`. */
  stateDict(): SavedState;
  /** Takes over a saved state. Slots that do not exist yet take their value when they are made. */
  loadStateDict(state: StateDict): void;
  /** Frees the optimizer's variables. */
  dispose(): void;
}

/** What is composed around an update rule. */
export interface OptimizerParts<Step> {
  /** Name from the config. */
  name: string;
  /** The rate or schedule. */
  learningRate: LearningRate;
  rule: UpdateRule<Step>;
  /** d > 0 divides the rate by 1 + d·iterations. Default 0. */
  decay?: number;
  /** Learning rates of some variables as multiples of the rate. */
  learningRateMultipliers?: readonly LearningRateMultiplier[] | null;
  /** Applied on each replica before gradients are summed over replicas. */
  beforeAggregation?: GradientTransformer;
  /** Clipping, after the sum. */
  clipping?: Clipping;
  /** Applied after clipping, in order. */
  gradientTransformers?: readonly GradientTransformer[] | null;
  /** Sums gradients over replicas. Default: `allReduceSum` of the compiler. */
  gradientAggregator?: GradientAggregator | null;
  /** Decoupled weight decay: θ ← θ − η·λ·θ before the update. */
  weightDecay?: WeightDecay;
}

/** An optimizer made of an update rule and what is composed around it. The classes of this room extend it. */
export class RuleOptimizer<Step = tf.Scalar> implements Optimizer {
  readonly name: string;
  readonly iterations: tf.Variable;
  readonly learningRateMultipliers: readonly LearningRateMultiplier[] | null;
  /**
   * Sums gradients over replicas, after per-replica clipping and before all else. One replica: nothing to sum.
   * May be replaced before the first update.
   */
  allReduce: GradientAggregator;
  private readonly parts: OptimizerParts<Step>;
  private readonly multipliers: Multipliers | undefined;
  /** The slots, for subclasses that read them between updates. */
  protected readonly state: SlotVariables;
  private readonly rate: CurrentRate;
  private warned = false;

  constructor(parts: OptimizerParts<Step>) {
    this.name = parts.name;
    this.parts = parts;
    this.learningRateMultipliers = parts.learningRateMultipliers ?? null;
    this.multipliers = readMultipliers(parts.learningRateMultipliers, parts.name);
    if (parts.rule.skipsUntouchedRows) watchLookups();
    this.allReduce = parts.gradientAggregator ?? sumOverReplicas;
    this.rate = new CurrentRate(parts.learningRate, parts.name, parts.decay ?? 0);
    this.iterations = initScope(() => createVariable(`${parts.name}/iterations`, tf.scalar(0, 'int32')));
    this.state = new SlotVariables(parts.name, (shape, path) => parts.rule.slots(shape, path), { iterations: this.iterations });
  }

  get learningRate(): LearningRate {
    return this.rate.value;
  }

  set learningRate(rate: LearningRate) {
    this.rate.value = rate;
  }

  currentLearningRate(): number {
    return learningRateAt(this.rate.value, this.iterations.dataSync()[0]!);
  }

  setVariablePaths(paths: ReadonlyMap<unknown, string>): void {
    this.multipliers?.check([...paths.values()]);
    this.state.paths = paths;
  }

  build(variables: readonly tf.Variable[]): void {
    this.state.build(variables);
    this.rate.build();
  }

  applyGradients(gradientsAndVariables: readonly MaybeGradient[], { aggregate = true }: ApplyOptions = {}): void {
    const { rule, weightDecay } = this.parts;
    const present = this.withGradients(gradientsAndVariables);
    const sparse = new Set(present.flatMap(([gradient, variable]) => (isFromLookup(gradient) ? [variable] : [])));
    this.build(present.map(([, variable]) => variable));
    const update = (): void => {
      const scalarsOf = this.scalars();
      for (const [gradient, variable] of this.processed(present, aggregate)) {
        const path = this.state.pathOf(variable);
        const { step, keep } = scalarsOf(path);
        const slots = this.state.of(variable)!;
        const start = keep && weightDecay?.appliesTo(path) ? tf.mul(variable, keep) : variable;
        let updated = checkUpdated(rule.update(start, gradient, slots, step, path), variable, slots, `${this.name}, "${path}"`);
        if (rule.skipsUntouchedRows && sparse.has(variable)) updated = onlyTouchedRows(updated, start, slots, gradient);
        variable.assign(constrained(variable, updated.parameter));
        for (const [name, value] of Object.entries(updated.slots)) slots[name]!.assign(value);
      }
      this.iterations.assign(tf.add(this.iterations, tf.scalar(1, 'int32')));
    };
    nameScope('optimizer', () => tf.tidy(update), { atCaller: true });
  }

  /**
   * Computes the gradients of `loss` and applies them.
   *
   * @param loss returns the scalar to make small.
   * @param returnCost whether to return the loss (the caller owns it). Default false.
   * @param variables what to train; default: all trainable variables that the loss reads.
   */
  minimize(loss: () => tf.Scalar, returnCost = false, variables?: tf.Variable[]): tf.Scalar | null {
    const { value, grads } = tf.variableGrads(loss, variables);
    const byName = (variables ?? Object.keys(grads).map((name) => tf.engine().registeredVariables[name]!)) as tf.Variable[];
    this.applyGradients(byName.map((variable) => [grads[variable.name] ?? null, variable]));
    tf.dispose(grads);
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  variables(): Record<string, tf.Variable> {
    return this.state.variables();
  }

  stateDict(): SavedState {
    return this.state.save();
  }

  loadStateDict(state: StateDict): void {
    this.state.load(state);
  }

  dispose(): void {
    this.state.dispose();
    this.rate.dispose();
  }

  /** The scalars of this update: of each variable's path, computed once per multiplier of the learning rate. */
  private scalars(): (path: string) => { step: Step; keep: tf.Scalar | undefined } {
    const { rule, weightDecay } = this.parts;
    const iterations = this.iterations as unknown as tf.Scalar;
    const rate = this.rate.at(iterations);
    const made = new Map<number, { step: Step; keep: tf.Scalar | undefined }>();
    return (path) => {
      const multiplier = this.multipliers?.of(path) ?? 1;
      let scalars = made.get(multiplier);
      if (scalars === undefined) {
        const own = multiplier === 1 ? rate : (tf.mul(rate, multiplier) as tf.Scalar);
        const step = rule.step(this.rate.decayed(own, iterations), iterations);
        made.set(multiplier, (scalars = { step, keep: weightDecay?.keptFraction(own) }));
      }
      return scalars;
    };
  }

  private processed(pairs: readonly GradientAndVariable[], aggregate: boolean): readonly GradientAndVariable[] {
    const { beforeAggregation, clipping, gradientTransformers } = this.parts;
    let result = pairs;
    if (aggregate && beforeAggregation) result = transformGradients(beforeAggregation, result);
    if (aggregate) result = transformGradients(this.allReduce, result);
    if (clipping) result = transformGradients(clipping, result);
    for (const transformer of gradientTransformers ?? []) result = transformGradients(transformer, result);
    return result;
  }

  private withGradients(pairs: readonly MaybeGradient[]): readonly GradientAndVariable[] {
    const present: GradientAndVariable[] = [];
    const missing: string[] = [];
    for (const [gradient, variable] of pairs) {
      if (gradient) present.push([checkGradient(gradient, variable, this.state.pathOf(variable)), variable]);
      else missing.push(this.state.pathOf(variable));
    }
    if (new Set(present.map(([, variable]) => variable)).size < present.length) {
      throw new UsageError(`${this.name}.applyGradients got two gradients for one variable. Add them up and pass each variable once.`);
    }
    if (present.length === 0) {
      throw new UsageError(
        `${this.name}.applyGradients got no gradient for any variable${missing.length ? ` (${missing.join(', ')})` : ''}. ` +
          'Check that the loss depends on the model and that its layers are trainable.',
      );
    }
    if (missing.length > 0 && !this.warned) {
      this.warned = true;
      notice(`${this.name}: no gradient for ${missing.join(', ')}; these variables stay as they are. Said once.`);
    }
    return present;
  }
}
