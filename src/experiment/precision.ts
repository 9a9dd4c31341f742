/** Half precision of the original, which this release does not have: everything is computed in float32. */
import { UsageError } from '../errors.js';
import { notice } from '../notice.js';
import type { Optimizer } from '../optimization/index.js';

const DTYPES = ['float32', 'float16', 'bfloat16'];

/**
 * Chooses the type of the computation. `float32` is what there is; the smaller types are accepted with a warning, since float32 gives
 * their results more exactly.
 * @param lossScale must be null, as in the original: see {@link configureOptimizer}
 * @throws UsageError for another type or a loss scale
 */
export function setMixedPrecisionPolicy(dtype: 'float32' | 'float16' | 'bfloat16', lossScale: null = null): void {
  if (!DTYPES.includes(dtype))
    throw new UsageError(`setMixedPrecisionPolicy: "${String(dtype)}" is no type; there are ${DTYPES.join(', ')}.`);
  if (lossScale !== null) throw new UsageError('setMixedPrecisionPolicy takes no loss scale; configureOptimizer does.');
  if (dtype !== 'float32') notice(`mixed_precision_dtype ${dtype} has no effect: float32 is used.`);
}

/**
 * Prepares an optimizer for float16 by scaling the loss. Since everything is computed in float32, whose gradients do not vanish, the optimizer is
 * returned as it is, with a warning where float16 was asked for.
 * @param optimizer the optimizer
 * @param options `useFloat16`, default false; `lossScale`: `dynamic`, a number above 0, or null for `dynamic`
 * @throws UsageError for another loss scale
 */
export function configureOptimizer<O extends Optimizer>(
  optimizer: O,
  options: { useFloat16?: boolean; lossScale?: 'dynamic' | number | null } = {},
): O {
  const { useFloat16 = false, lossScale = null } = options;
  const isScale = lossScale === null || lossScale === 'dynamic' || (typeof lossScale === 'number' && lossScale > 0);
  if (!isScale)
    throw new UsageError(`configureOptimizer: lossScale is ${String(lossScale)}; expected "dynamic", a number above 0, or null.`);
  if (useFloat16) notice('useFloat16 has no effect: float32 is used, which needs no loss scaling.');
  return optimizer;
}
