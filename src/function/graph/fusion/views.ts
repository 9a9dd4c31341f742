/** Where the matrices of batches and heads lie in memory, below transposes, reshapes and splits. */
import type { Call, Value } from '../ir.js';
import { sizeOf } from './forms.js';

/** Matrices [batch, head, row, column] inside the memory of `base`; columns lie side by side. */
export interface View {
  readonly base: Value;
  readonly offset: number;
  /** Elements from one batch, head and row to the next. */
  readonly batch: number;
  readonly head: number;
  readonly row: number;
}

/** [batches, heads, rows, columns] of matrices of rank 3 or 4; undefined for other ranks. */
export function headShape(shape: readonly number[]): readonly [number, number, number, number] | undefined {
  if (shape.length === 3) return [shape[0]!, 1, shape[1]!, shape[2]!];
  return shape.length === 4 ? (shape as unknown as [number, number, number, number]) : undefined;
}

/**
 * The memory that holds a value of rank 3 or 4, as far down as its rows stay whole.
 *
 * @param producer the call that computes a value, where it may be looked through.
 */
export function viewOf(value: Value, producer: (v: Value) => Call | undefined): View {
  const shape = headShape(value.shape)!;
  let strides = contiguous(shape);
  let base = value;
  let offset = 0;
  const top = producer(value);
  if (top?.kernel === 'Transpose' && value.shape.length === 4) {
    const perm = top.attrs['perm'] as number[];
    const below = contiguous(top.inputs[0]!.shape);
    if (perm[3] === 3) {
      strides = perm.map((axis) => below[axis]!);
      base = top.inputs[0]!;
    }
  }
  for (let call = producer(base); call !== undefined; call = producer(base)) {
    if (call.kernel === 'Reshape' || call.kernel === 'Identity') {
      base = call.inputs[0]!;
      continue;
    }
    if (call.kernel !== 'SplitV') break;
    const whole = call.inputs[0]!;
    const axis = call.attrs['axis'] as number;
    const inner = base.shape.at(-1)!;
    if ((axis < 0 ? axis + whole.shape.length : axis) !== whole.shape.length - 1 || inner === 0) break;
    // An axis that steps over whole rows of the part steps over rows of the whole; the others stay within a row.
    const over = strides.map((s, i) => shape[i] === 1 || s % inner === 0);
    const within = strides.reduce((n, s, i) => (over[i] ? n : n + s * (shape[i]! - 1)), 0);
    if (within >= inner) break;
    const index = call.outputs.indexOf(base);
    strides = strides.map((s, i) => (over[i] ? (s / inner) * whole.shape.at(-1)! : s));
    offset += call.outputs.slice(0, index).reduce((n, v) => n + v.shape.at(-1)!, 0);
    base = whole;
    break;
  }
  const [batch, head, row] = strides.map((s, i) => (shape[i] === 1 ? 0 : s)) as [number, number, number];
  return { base, offset, batch, head, row };
}

/** The view of a tensor that is broadcast to matrices of a shape; undefined where its last axis is. */
export function broadcastView(value: Value, shape: readonly number[]): View | undefined {
  const padded = [...Array<number>(Math.max(0, 4 - value.shape.length)).fill(1), ...value.shape];
  const full = headShape(shape)!;
  if (value.shape.length > shape.length) return undefined;
  const aligned = shape.length === 3 && value.shape.length === 3 ? [value.shape[0]!, 1, value.shape[1]!, value.shape[2]!] : padded;
  if (aligned.at(-1) !== full[3] || aligned.some((d, i) => d !== 1 && d !== full[i])) return undefined;
  const strides = contiguous(aligned).map((s, i) => (aligned[i] === 1 ? 0 : s));
  return { base: value, offset: 0, batch: strides[0]!, head: strides[1]!, row: strides[2]! };
}

/** Elements from one element to the next along each axis of a tensor that lies in order. */
export function contiguous(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}
