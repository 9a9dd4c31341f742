import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { notice } from '../notice.js';
import { type GradientAndVariable, type GradientTransformer, sumOverReplicas, transformGradients } from './gradients.js';
import type { Optimizer } from './optimizer.js';

/** Options of {@link minimizeUsingExplicitAllreduce}. */
export interface ExplicitAllreduceOptions {
  /** What to train. */
  variables: readonly tf.Variable[];
  /** Applied on each replica before the sum, in order; such as clipping. Default none. */
  preAllreduceCallbacks?: readonly GradientTransformer[];
  /** Applied to the sums, in order. Default none. */
  postAllreduceCallbacks?: readonly GradientTransformer[];
}

/**
 * One update in which the caller says what happens to gradients before and after they are summed over replicas. The optimizer then
 * neither sums again nor clips per replica (`gradient_clip_norm` of `adamw`); its other clipping and transformers apply. Plain tfjs
 * ops: works eagerly and inside `compile`.
 *
 * @param loss returns the scalar to make small
 * @returns the loss, which the caller owns
 * @throws UsageError when no variable has a gradient, naming them
 */
export function minimizeUsingExplicitAllreduce(optimizer: Optimizer, loss: () => tf.Scalar, options: ExplicitAllreduceOptions): tf.Scalar {
  const { variables, preAllreduceCallbacks = [], postAllreduceCallbacks = [] } = options;
  const { value, grads } = gradientsOf(loss, variables, optimizer.name);
  tf.tidy(() => {
    const found = variables.flatMap((v): GradientAndVariable[] => (grads[v.name] == null ? [] : [[grads[v.name]!, v]]));
    tellMissing(found, variables, optimizer.name);
    const apply = (pairs: readonly GradientAndVariable[], callback: GradientTransformer) => transformGradients(callback, pairs);
    const summed = transformGradients(sumOverReplicas, preAllreduceCallbacks.reduce(apply, found));
    optimizer.applyGradients(postAllreduceCallbacks.reduce(apply, summed), { aggregate: false });
  });
  tf.dispose(grads);
  return value;
}

function gradientsOf(loss: () => tf.Scalar, variables: readonly tf.Variable[], name: string): ReturnType<typeof tf.variableGrads> {
  try {
    return tf.variableGrads(loss, [...variables]);
  } catch (cause) {
    if (!(cause instanceof Error) || !cause.message.startsWith('Cannot find a connection')) throw cause;
    const names = variables.map((v) => v.name).join(', ');
    throw new UsageError(`${name}: no variable has a gradient (${names}). Check that the loss depends on them.`, { cause });
  }
}

/** Says which variables the loss does not depend on. */
function tellMissing(found: readonly GradientAndVariable[], variables: readonly tf.Variable[], name: string): void {
  const missing = variables.filter((v) => found.every(([, variable]) => variable !== v)).map((v) => v.name);
  if (missing.length > 0) notice(`${name}: no gradient for ${missing.join(', ')}; these variables stay as they are.`);
}
