/** Rules that compute a call for all steps of a loop at once, over stacks [time, …] of its inputs. */
import { sizeOf, type DType } from '../dtype.js';
import { ELEMENTWISE } from './elementwise-kernels.js';
import { makeCall, type Attrs, type Call, type Value } from './ir.js';

/** Emits a call and gives its first result. */
export type Emit = (
  kernel: string,
  inputs: Readonly<Record<string, Value>>,
  shape: readonly number[],
  attrs?: Attrs,
  dtype?: DType,
) => Value;

/**
 * Computes the results of a call over stacks.
 *
 * @param inputs for each input of the call its stack, or the value itself where all steps read the same.
 */
export type OverTime = (emit: Emit, inputs: readonly Value[], steps: number) => Value[];

/**
 * The rule for a call, or undefined where it has to stay in the loop.
 *
 * @param perStep tells for each input whether it differs from step to step; at least one does.
 */
export function overTime(call: Call, perStep: readonly boolean[]): OverTime | undefined {
  const out = call.outputs[0]!;
  const rank = out.shape.length;
  const single = call.inputs.length === 1;
  const axis = (a: unknown, of: number): number => ((a as number) < 0 ? (a as number) + of : (a as number)) + 1;
  const again =
    (attrs: Attrs = call.attrs): OverTime =>
    (_, inputs, steps) =>
      reemit(call, inputs, attrs, steps);
  if (ELEMENTWISE.has(call.kernel)) return elementwise(call, perStep);
  switch (call.kernel) {
    case 'Reshape':
    case 'ExpandDims':
      return (emit, [x], steps) => [reshape(emit, x!, [steps, ...out.shape])];
    case 'Sum':
    case 'Mean': {
      const x = call.inputs[0]!;
      const given = (call.attrs['axis'] ?? call.attrs['reductionIndices']) as number | readonly number[] | null | undefined;
      const axes = given == null ? [...x.shape.keys()] : typeof given === 'number' ? [given] : given;
      return again({ ...call.attrs, axis: axes.map((a) => axis(a, x.shape.length)) });
    }
    case 'Transpose':
      return again({ perm: [0, ...(call.attrs['perm'] as number[]).map((p) => p + 1)] });
    case 'SplitV':
    case 'Unpack':
      return again({ ...call.attrs, axis: axis(call.attrs['axis'], call.inputs[0]!.shape.length) });
    case 'Concat':
      return perStep.every(Boolean) ? again({ ...call.attrs, axis: axis(call.attrs['axis'], rank) }) : undefined;
    case 'Pack':
      return perStep.every(Boolean) ? again({ ...call.attrs, axis: axis(call.attrs['axis'], rank) }) : undefined;
    case 'Tile':
      return single ? again({ reps: [1, ...(call.attrs['reps'] as number[])] }) : undefined;
    case 'BatchMatMul':
    case '_FusedMatMul':
      return product(call, perStep);
    default:
      return undefined;
  }
}

/** The same call over stacks of all its inputs. */
function reemit(call: Call, inputs: readonly Value[], attrs: Attrs, steps: number): Value[] {
  const named = Object.fromEntries(call.inputNames.map((name, i) => [name, inputs[i]!]));
  const specs = call.outputs.map((v) => ({ dtype: v.dtype, shape: [steps, ...v.shape] }));
  return [...makeCall(call.kernel, named, attrs, specs, call.origin).outputs];
}

function reshape(emit: Emit, x: Value, shape: readonly number[]): Value {
  return x.shape.join() === shape.join() ? x : emit('Reshape', { x }, shape, { shape: [...shape] }, x.dtype);
}

/** Operands of a lower rank than the result get ones behind the time, so that they broadcast as in one step. */
function elementwise(call: Call, perStep: readonly boolean[]): OverTime {
  const rank = call.outputs[0]!.shape.length;
  return (emit, inputs, steps) => {
    const operands = inputs.map((v, i) => {
      const { shape } = call.inputs[i]!;
      return perStep[i] && shape.length < rank ? reshape(emit, v, [steps, ...Array<number>(rank - shape.length).fill(1), ...shape]) : v;
    });
    return reemit(call, operands, call.attrs, steps);
  };
}

/** One product of all rows of all steps by the matrix that all steps share, or a batch of products. */
function product(call: Call, perStep: readonly boolean[]): OverTime | undefined {
  const [a, b] = call.inputs as [Value, Value];
  const { transposeA, transposeB } = call.attrs;
  const out = call.outputs[0]!.shape;
  if (perStep.slice(2).some(Boolean) || a.dtype !== 'float32') return undefined;
  const plain = call.kernel === 'BatchMatMul';
  const leading = sizeOf(b.shape.slice(0, -2));
  if (perStep[0] && !perStep[1] && leading === 1 && !transposeA) {
    return (emit, [x, matrix, ...others], steps) => {
      const [k, n] = [a.shape.at(-1)!, out.at(-1)!];
      const count = sizeOf(x!.shape) / k;
      const named: Record<string, Value> = { a: reshape(emit, x!, [count, k]), b: reshape(emit, matrix!, b.shape.slice(-2)) };
      call.inputNames.slice(2).forEach((name, i) => (named[name] = others[i]!));
      const flat = emit(call.kernel, named, [count, n], { ...call.attrs, transposeA: false, transposeB });
      return [reshape(emit, flat, [steps, ...out])];
    };
  }
  if (plain && perStep[0] && perStep[1] && a.shape.length === b.shape.length)
    return (_, inputs, steps) => reemit(call, inputs, call.attrs, steps);
  return undefined;
}

/** The factors of a product whose sum over all steps is one product over the rows of all steps: aᵀ·b with one pair of matrices a step. */
export function isContraction(call: Call, perStep: readonly boolean[]): boolean {
  const [a, b] = call.inputs as [Value, Value];
  const { transposeA, transposeB } = call.attrs;
  return (
    call.kernel === 'BatchMatMul' &&
    perStep.every(Boolean) &&
    transposeA === true &&
    !transposeB &&
    a.dtype === 'float32' &&
    sizeOf(a.shape.slice(0, -2)) === 1 &&
    sizeOf(b.shape.slice(0, -2)) === 1
  );
}
