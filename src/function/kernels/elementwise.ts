/** Shared rules of kernels that compute element by element: broadcasting, layout, dtypes. */
import type { DType, TensorSpec } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import { rows, nchw, type Layout, type Lowering, type Physical } from '../graph/lowering.js';

/** The shape that two shapes broadcast to (NumPy's rules). */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new Error(`the shapes [${a.join(',')}] and [${b.join(',')}] cannot be broadcast together`);
    }
    return x === 1 ? y : x;
  });
}

/** Shape and dtype of a broadcasting kernel over any number of inputs. */
export function broadcastSpec(specs: readonly TensorSpec[], dtype: DType): TensorSpec {
  return { dtype, shape: specs.map((s) => s.shape).reduce(broadcastShapes) };
}

/**
 * Emits an elementwise form in the layout that transposes least, and returns its result.
 *
 * @param emit gets the operands' names in that layout and returns the result's name.
 */
export function elementwise(g: Lowering, operands: readonly Value[], emit: (...names: string[]) => string): Physical {
  const layout = g.preferredLayout(...operands);
  const names = operands.map((v) => operand(g, v, layout));
  return layout === 'rows' ? rows(emit(...names)) : nchw(emit(...names));
}

/**
 * The name of a cast to a dtype with tfjs's rules: to int32 truncates, to bool is "not 0". By way of the low half of
 * an int64, numbers beyond int32 wrap and NaN becomes 0, as in a typed array; a direct cast would give the smallest integer.
 */
export function castTo(g: Lowering, x: string, from: DType, to: DType): string {
  if (from === to) return x;
  if (from !== 'float32' || to !== 'int32') return g.cast(x, to);
  return g.cast(g.op('BitwiseAnd', [g.cast(x, 'int64'), g.scalar(0xffffffff, 'int64')]), 'int32');
}

/** Where; ONNX Runtime has none for bool. Operands broadcast. */
export function where(g: Lowering, condition: string, then: string, otherwise: string, dtype: DType): string {
  if (dtype !== 'bool') return g.op('Where', [condition, then, otherwise]);
  return g.op('Or', [g.op('And', [condition, then]), g.op('And', [g.op('Not', [condition]), otherwise])]);
}

/** The name of an operand that broadcasts against images of the given layout. */
export function operand(g: Lowering, value: Value, layout: Layout): string {
  if (layout === 'rows' || value.shape.length === 0) return g.rows(value);
  if (value.shape.length === 4) return g.nchw(value);
  const padded = [...Array<number>(4 - value.shape.length).fill(1), ...value.shape] as [number, number, number, number];
  const [n, h, w, c] = padded;
  if (c === 1 || h * w === 1) return g.reshape(g.rows(value), [n, c, h, w]);
  return g.transpose(g.reshape(g.rows(value), padded), [0, 3, 1, 2]);
}
