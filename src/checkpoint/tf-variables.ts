/** Puts values into tfjs variables without importing tfjs: its engine is in the global object, shared by all copies of tfjs. */
import { UsageError } from '../errors.js';
import type { VariableLike } from '../tf/object-paths.js';
import type { StateTensor } from './state.js';

interface Tensor {
  dispose(): void;
}

interface Engine {
  makeTensor(values: unknown, shape: readonly number[], dtype: string): Tensor;
}

/** Assigns a value of the variable's own shape and dtype. The tensor's array belongs to tfjs afterwards. */
export function assignVariable(variable: VariableLike, value: StateTensor): void {
  const engine = (globalThis as { _tfengine?: Engine })._tfengine;
  if (!engine) throw new UsageError('Variables can be restored only where tfjs is loaded: import "orbit-ts/tf" first.');
  const tensor = engine.makeTensor(value.data, value.shape, value.dtype);
  variable.assign(tensor as never);
  tensor.dispose();
}
