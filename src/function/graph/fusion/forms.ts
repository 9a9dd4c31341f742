/** Which calls can be part of a fused program, and as what. */
import { producer, type Call, type Value } from '../ir.js';
import { accessOf } from './access.js';
import { elementwiseForm, opcode, type Emitter } from './opcodes.js';

/** Rows that fit a tile of the native kernel. */
const LONGEST_ROW = 8192;

/** What a call computes from its operands, all of them as large as its result or broadcast to it. */
export interface Form {
  readonly operands: readonly Value[];
  readonly emit: (e: Emitter, operands: number[]) => number;
  /** True when computing it again costs no more than reading it from memory. */
  readonly cheap: boolean;
  /** Length of the rows that it sums within; undefined for elementwise kernels. */
  readonly row?: number | undefined;
}

/** A sum at the end of a program. */
export interface Reduction {
  readonly x: Value;
  readonly keep: 'channels' | 'total';
  /** Channels, for `channels`. */
  readonly period: number;
  readonly scale: number;
}

/** A sum or maximum over the last axis, whose result the program goes on with. */
export interface RowReduction {
  readonly x: Value;
  readonly row: number;
  readonly emit: (e: Emitter, x: number) => number;
}

const ALIASES = new Set(['Reshape', 'Identity', 'ExpandDims', 'Squeeze']);

/** The value below reshapes, which has the same elements in the same order. */
export function strip(value: Value): Value {
  const call = producer(value);
  if (call === undefined || value.dtype !== 'float32') return value;
  const alias = ALIASES.has(call.kernel) || (call.kernel === 'Cast' && call.inputs[0]!.dtype === 'float32');
  return alias && sizeOf(call.inputs[0]!.shape) === sizeOf(value.shape) ? strip(call.inputs[0]!) : value;
}

/** The form of an elementwise call, a softmax, or a cast of truth values. */
export function formOf(call: Call): Form | undefined {
  const out = call.outputs[0]!;
  if (call.outputs.length !== 1 || (out.dtype !== 'float32' && out.dtype !== 'bool') || sizeOf(out.shape) === 0) return undefined;
  if (call.kernel === 'Cast') return castForm(call);
  if (call.kernel === 'Softmax' || call.kernel === 'LogSoftmax') return softmaxForm(call);
  const form = elementwiseForm(call.kernel, call.attrs);
  if (form === undefined) return undefined;
  const operands = form.operands.length === 0 ? call.inputs : form.operands.map((name) => call.inputs[call.inputNames.indexOf(name)]!);
  if (operands.some((v) => v === undefined || (v.dtype !== 'float32' && v.dtype !== 'bool'))) return undefined;
  // Sums and products of truth values are numbers of another kind.
  const logical = call.kernel.startsWith('Logical') || call.kernel === 'Select';
  if (!logical && operands.some((v) => v.dtype === 'bool')) return undefined;
  if (call.kernel === 'Select' && (operands[1]!.dtype === 'bool' || operands[0]!.dtype !== 'bool')) return undefined;
  if (operands.some((v) => accessOf(v.shape, out.shape) === undefined)) return undefined;
  return { operands, emit: (e, numbers) => form.emit(e, numbers, call.attrs), cheap: form.cheap };
}

function castForm(call: Call): Form | undefined {
  const [x] = call.inputs as [Value];
  const to = call.outputs[0]!.dtype;
  if (x.dtype === 'bool' && to === 'float32') return { operands: [x], emit: (_, [n]) => n!, cheap: true };
  if (x.dtype === 'float32' && to === 'bool')
    return { operands: [x], emit: (e, [n]) => e.emit(opcode.notEqual, n!, e.constant(0)), cheap: true };
  return undefined;
}

function softmaxForm(call: Call): Form | undefined {
  const [x] = call.inputs as [Value];
  const row = x.shape.at(-1)!;
  const axis = call.attrs['dim'] ?? call.attrs['axis'] ?? -1;
  if (x.dtype !== 'float32' || row > LONGEST_ROW || (axis !== -1 && axis !== x.shape.length - 1)) return undefined;
  const emit = (e: Emitter, [n]: number[]): number => {
    const shifted = e.emit(opcode.sub, n!, e.emit(opcode.rowMax, n!));
    const powers = e.emit(opcode.exp, shifted);
    const total = e.emit(opcode.rowSum, powers);
    return call.kernel === 'Softmax' ? e.emit(opcode.div, powers, total) : e.emit(opcode.sub, shifted, e.emit(opcode.log, total));
  };
  return { operands: [x], emit, cheap: false, row };
}

function axesOf(call: Call): number[] {
  const rank = call.inputs[0]!.shape.length;
  const given = (call.attrs['reductionIndices'] ?? call.attrs['axis']) as number | number[] | null | undefined;
  const axes = given === null || given === undefined ? [...Array(rank).keys()] : [given].flat();
  return axes.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
}

/** A sum or mean over the leading axes or over all. */
export function reductionOf(call: Call): Reduction | undefined {
  const [x] = call.inputs as [Value];
  if ((call.kernel !== 'Sum' && call.kernel !== 'Mean') || x.dtype !== 'float32' || sizeOf(x.shape) === 0) return undefined;
  const axes = axesOf(call);
  if (axes.length === 0 || axes.some((a, i) => a !== i)) return undefined;
  const count = sizeOf(axes.map((a) => x.shape[a]!));
  const period = sizeOf(x.shape) / count;
  if (count === 1) return undefined;
  return { x, keep: period === 1 ? 'total' : 'channels', period, scale: call.kernel === 'Mean' ? 1 / count : 1 };
}

/** A sum, mean or maximum over the last axis alone. */
export function rowReductionOf(call: Call): RowReduction | undefined {
  const [x] = call.inputs as [Value];
  if (!['Sum', 'Mean', 'Max'].includes(call.kernel) || x.dtype !== 'float32' || sizeOf(x.shape) === 0 || x.shape.length < 2)
    return undefined;
  const axes = axesOf(call);
  const row = x.shape.at(-1)!;
  if (axes.length !== 1 || axes[0] !== x.shape.length - 1 || row > LONGEST_ROW || row < 2 || sizeOf(x.shape) === row) return undefined;
  const emit = (e: Emitter, n: number): number => {
    if (call.kernel === 'Max') return e.emit(opcode.rowMax, n);
    const sum = e.emit(opcode.rowSum, n);
    return call.kernel === 'Sum' ? sum : e.emit(opcode.mul, sum, e.constant(1 / row));
  };
  return { x, row, emit };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
