/** Puts values into tfjs variables without importing tfjs: its engine is in the global object, shared by all copies of tfjs. */
import { UsageError } from '../errors.js';
import type { VariableLike } from '../tf/object-paths.js';
import type { StateTensor } from './state.js';

interface Tensor {
  dispose(): void;
}

interface Engine {
  makeTensor(values: unknown, shape: readonly number[], dtype: string): Tensor;
  makeVariable(initialValue: Tensor, trainable: boolean): VariableLike;
}

/** Assigns a value of the variable's own shape and dtype. The value's array belongs to tfjs afterwards. */
export function assignVariable(variable: VariableLike, value: StateTensor): void {
  const tensor = engine().makeTensor(value.data, value.shape, value.dtype);
  variable.assign(tensor as never);
  tensor.dispose();
}

/** Makes a variable that is not trained. The value's array belongs to tfjs afterwards. */
export function createVariable(value: StateTensor): VariableLike {
  const tensor = engine().makeTensor(value.data, value.shape, value.dtype);
  const variable = engine().makeVariable(tensor, false);
  tensor.dispose();
  return variable;
}

function engine(): Engine {
  const { _tfengine } = globalThis as { _tfengine?: Engine };
  if (!_tfengine) throw new UsageError('Variables can be restored only where tfjs is loaded: import "orbit-ts/tf" first.');
  return _tfengine;
}
