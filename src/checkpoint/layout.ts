/** Other layouts and element types of a tensor, for weights that come from or go to other libraries. */
import { UsageError } from '../errors.js';
import { elementTypes } from './dtypes.js';
import type { StateTensor } from './state.js';

/**
 * A tensor with its axes in another order, as a new array.
 * @param order the old axis that becomes axis 0, 1, …; default: reversed, which for a matrix is the transpose. A convolution
 * kernel of PyTorch (out, in, height, width) becomes one of tfjs (height, width, in, out) with `[2, 3, 1, 0]`, and back with `[3, 2, 0, 1]`.
 */
export function transposeTensor(tensor: StateTensor, order: readonly number[] = tensor.shape.map((_, i) => i).reverse()): StateTensor {
  const rank = tensor.shape.length;
  if (order.length !== rank || new Set(order).size !== rank || order.some((axis) => !(axis in tensor.shape)))
    throw new UsageError(`transposeTensor: the order [${order.join(', ')}] is not one of the axes of shape [${tensor.shape.join(', ')}].`);
  const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const shape = order.map((axis) => tensor.shape[axis]!);
  const step = order.map((axis) => strides[axis]!);
  const data = new elementTypes[tensor.dtype].array(tensor.data.length);
  const index = new Array<number>(rank).fill(0);
  for (let to = 0, from = 0; to < data.length; to++) {
    data[to] = tensor.data[from]!;
    for (let axis = rank - 1; axis >= 0; axis--) {
      from += step[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= step[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: tensor.dtype, shape, data };
}

/** A float16, bfloat16 or float64 tensor as float32; others as they are. */
export function castTensor(tensor: StateTensor): StateTensor {
  const { dtype, shape, data } = tensor;
  if (dtype === 'float64') return { dtype: 'float32', shape, data: Float32Array.from(data as Float64Array) };
  if (dtype === 'bfloat16') {
    const bits = Uint32Array.from(data as Uint16Array, (x) => x << 16);
    return { dtype: 'float32', shape, data: new Float32Array(bits.buffer) };
  }
  return dtype === 'float16' ? { dtype: 'float32', shape, data: Float32Array.from(data as Uint16Array, fromHalf) } : tensor;
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
