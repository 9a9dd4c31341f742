import * as tf from '#tf';
import { ConfigError, UsageError } from '../errors.js';
import { allReduceSum } from '../function/index.js';

/** A gradient and the variable that it belongs to, of the same shape. */
export type GradientAndVariable = readonly [tf.Tensor, tf.Variable];

/** As `GradientAndVariable`, where the loss may not depend on the variable. */
export type MaybeGradient = readonly [tf.Tensor | null | undefined, tf.Variable];

/** Changes gradients, keeping the pairs and their order. Traceable: plain tfjs ops. */
export type GradientTransformer = (pairs: readonly GradientAndVariable[]) => readonly GradientAndVariable[];

/** Sums gradients over replicas, keeping the pairs and their order. */
export type GradientAggregator = GradientTransformer;

/** A gradient transformer that clips. */
export type Clipping = GradientTransformer;

/** Clip options that optimizers share; null or undefined: not clipped so. */
export interface ClipOptions {
  /** Largest L2 norm of one variable's gradient. */
  clipnorm?: number | null;
  /** Largest magnitude of one element. */
  clipvalue?: number | null;
  /** Largest L2 norm of all gradients together. */
  globalClipnorm?: number | null;
}

/** Applies a transformer and checks that it returned the pairs it was given. */
export function transformGradients(
  transformer: GradientTransformer,
  pairs: readonly GradientAndVariable[],
): readonly GradientAndVariable[] {
  const result = transformer(pairs);
  if (Array.isArray(result) && result.length === pairs.length && result.every((pair, i) => pair[0] && pair[1] === pairs[i]![1]))
    return result;
  throw new UsageError(
    'A gradient transformer or aggregator must return one [gradient, variable] pair for each pair it got, in the same order.',
  );
}

/** The default aggregator: the compiler's sum over replicas, nothing with one of them. */
export function sumOverReplicas(pairs: readonly GradientAndVariable[]): readonly GradientAndVariable[] {
  const sums = allReduceSum(pairs.map(([gradient]) => gradient));
  return pairs.map(([, variable], i) => [sums[i]!, variable] as const);
}

/** Limits each element to [−limit, limit]. */
export function clipByValue(limit: number): Clipping {
  return (pairs) => pairs.map(([g, v]) => [tf.clipByValue(g, -limit, limit), v] as const);
}

/** Per variable: g · c / max(‖g‖₂, c). */
export function clipByNorm(limit: number): Clipping {
  return (pairs) => pairs.map(([g, v]) => [tf.mul(g, tf.div(limit, tf.maximum(norm([g]), limit))), v] as const);
}

/**
 * All gradients times c / max(n, c), where n = √(Σ‖gᵢ‖²) is their global norm. If n is infinite or not a number, all gradients
 * become not-a-number, so that the failure shows.
 */
export function clipByGlobalNorm(limit: number): Clipping {
  return (pairs) => {
    const n = norm(pairs.map(([g]) => g));
    const factor = tf.add(tf.div(limit, tf.maximum(n, limit)), tf.sub(n, n));
    return pairs.map(([g, v]) => [tf.mul(g, factor), v] as const);
  };
}

/**
 * The legacy family's clipping: by value, then by norm, then by global norm, each if set.
 *
 * @throws ConfigError for a negative limit, both norms at once, or clipping together with gradient transformers.
 */
export function clipAllKinds(
  options: ClipOptions,
  transformers: readonly GradientTransformer[] | null | undefined,
  where: string,
): Clipping | undefined {
  const { clipnorm, clipvalue, globalClipnorm } = checkClips(options, where, 0);
  const kinds: Clipping[] = [];
  if (clipvalue !== undefined) kinds.push(clipByValue(clipvalue));
  if (clipnorm !== undefined) kinds.push(clipByNorm(clipnorm));
  if (globalClipnorm !== undefined) kinds.push(clipByGlobalNorm(globalClipnorm));
  if (kinds.length > 0 && transformers && transformers.length > 0) {
    throw new ConfigError(
      `${where}: clipping and gradient transformers cannot be used together. Put the clipping into a transformer (clipByNorm, clipByGlobalNorm, clipByValue).`,
    );
  }
  return kinds.length > 0 ? (pairs) => kinds.reduce((result, clip) => clip(result), pairs) : undefined;
}

/** The new family's clipping: the first that is set of by norm, by global norm, by value; negative limits do not clip. */
export function clipOneKind(options: ClipOptions, where: string): Clipping | undefined {
  const { clipnorm, clipvalue, globalClipnorm } = checkClips(options, where, -Infinity);
  if (clipnorm !== undefined && clipnorm > 0) return clipByNorm(clipnorm);
  if (globalClipnorm !== undefined && globalClipnorm > 0) return clipByGlobalNorm(globalClipnorm);
  if (clipvalue !== undefined && clipvalue > 0) return clipByValue(clipvalue);
  return undefined;
}

function checkClips(options: ClipOptions, where: string, min: number) {
  const checked: { clipnorm?: number; clipvalue?: number; globalClipnorm?: number } = {};
  for (const key of ['clipnorm', 'clipvalue', 'globalClipnorm'] as const) {
    const value = options[key];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'number' || Number.isNaN(value) || value < min) {
      throw new ConfigError(`${where}: ${key} must be a number that is not negative, but is ${String(value)}.`, { path: key });
    }
    checked[key] = value;
  }
  if (checked.clipnorm !== undefined && checked.globalClipnorm !== undefined) {
    throw new ConfigError(
      `${where}: clipnorm (${checked.clipnorm}) and global_clipnorm (${checked.globalClipnorm}) exclude each other. Set one of them to null.`,
      {
        path: 'global_clipnorm',
      },
    );
  }
  return checked;
}

/** √(Σ‖gᵢ‖²), a scalar. */
function norm(gradients: readonly tf.Tensor[]): tf.Scalar {
  const squares = gradients.map((g) => tf.sum(tf.square(g)));
  return tf.sqrt(squares.length === 1 ? squares[0]! : tf.addN(squares)) as tf.Scalar;
}
