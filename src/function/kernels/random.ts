/**
 * Random numbers inside a step: the counter-based generator of `orbit-ts/tf`, as a hash in the graph. The same formulas
 * stand in src/tf/bundle/random.ts, which draws the same numbers eagerly.
 */
import { stepRandom } from '#tf';
import { sizeOf, type DType } from '../dtype.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { defineKernels, type KernelDefinition } from './define.js';

const u32 = (g: Lowering, x: number): string => g.scalar(x >>> 0, 'uint32');

function shiftXor(g: Lowering, x: string, by: number): string {
  return g.op('BitwiseXor', [x, g.op('BitShift', [x, u32(g, by)], { direction: 'RIGHT' })]);
}

/** The 32-bit hash `mix`. */
function mix(g: Lowering, x: string): string {
  x = g.op('Mul', [shiftXor(g, x, 16), u32(g, 0x7feb352d)]);
  x = g.op('Mul', [shiftXor(g, x, 15), u32(g, 0x846ca68b)]);
  return shiftXor(g, x, 16);
}

const add = (g: Lowering, a: string, b: string): string => g.op('Add', [a, b]);
const xor = (g: Lowering, a: string, b: string): string => g.op('BitwiseXor', [a, b]);

/** The two keys of a draw, from the state [seed, counter]. */
function keys(g: Lowering, state: string, call: number, seed: number): [string, string] {
  const words = g.cast(state, 'uint32');
  const [base, counter] = g.ops('Split', [words, g.ints([1, 1])], 2, { axis: 0 }) as [string, string];
  const scrambled = mix(g, xor(g, mix(g, add(g, base, u32(g, stepRandom.GOLDEN))), counter));
  const k1 = mix(g, xor(g, add(g, scrambled, u32(g, Math.imul(call + 1, stepRandom.GOLDEN))), u32(g, seed)));
  return [k1, mix(g, xor(g, k1, u32(g, 0x5bd1e995)))];
}

/** A uniform number in [0, 1) with 24 bits for each index. */
function unit(g: Lowering, index: string, k1: string, k2: string): string {
  const bits = mix(g, add(g, mix(g, xor(g, index, k1)), k2));
  return g.op('Mul', [g.cast(g.op('BitShift', [bits, u32(g, 8)], { direction: 'RIGHT' }), 'float32'), g.scalar(2 ** -24)]);
}

const draws = {
  uniform(g: Lowering, i: string, k1: string, k2: string, low: number, high: number): string {
    const u = unit(g, i, k1, k2);
    const scaled = Math.fround(high - low) === 1 ? u : g.op('Mul', [u, g.scalar(high - low)]);
    return low === 0 ? scaled : g.op('Add', [scaled, g.scalar(low)]);
  },
  normal(g: Lowering, i: string, k1: string, k2: string, mean: number, stdDev: number): string {
    const u1 = g.op('Add', [unit(g, i, k1, k2), g.scalar(2 ** -24)]);
    const radius = g.op('Sqrt', [g.op('Mul', [g.op('Log', [u1]), g.scalar(-2)])]);
    const angle = g.op('Cos', [g.op('Mul', [unit(g, i, k2, k1), g.scalar(2 * Math.PI)])]);
    return affine(g, g.op('Mul', [radius, angle]), stdDev, mean);
  },
  truncatedNormal(g: Lowering, i: string, k1: string, k2: string, mean: number, stdDev: number): string {
    const centred = g.op('Add', [g.op('Mul', [unit(g, i, k1, k2), g.scalar(2)]), g.scalar(2 ** -24 - 1)]);
    const x = g.op('Mul', [centred, g.scalar(stepRandom.TRUNCATION)]);
    const product = g.op('Sub', [g.scalar(1), g.op('Mul', [x, x])]);
    const w = g.op('Sub', [g.op('Neg', [g.op('Log', [product])]), g.scalar(2.5)]);
    let p = g.scalar(stepRandom.ERFINV[0]!);
    for (const coefficient of stepRandom.ERFINV.slice(1)) p = g.op('Add', [g.op('Mul', [p, w]), g.scalar(coefficient)]);
    return affine(g, g.op('Mul', [p, x]), Math.SQRT2 * stdDev, mean);
  },
};

function affine(g: Lowering, x: string, scale: number, shift: number): string {
  const scaled = scale === 1 ? x : g.op('Mul', [x, g.scalar(scale)]);
  return shift === 0 ? scaled : g.op('Add', [scaled, g.scalar(shift)]);
}

/** 0, 1, 2, … as uint32: the number of each element of a draw. */
function positions(g: Lowering, size: number): string {
  return g.once(`iota:${size}`, () =>
    g.cast(g.op('Range', [g.scalar(0, 'int32'), g.scalar(size, 'int32'), g.scalar(1, 'int32')]), 'uint32'),
  );
}

const multinomial: KernelDefinition = {
  kernel: 'Multinomial',
  form: 'Softmax, CumSum, counter hash, then counts the running sums that the drawn number reaches',
  limits: 'logits that differ in the last place can change a sample whose number falls between them',
  infer: ({ logits }, { numSamples }) => ({ dtype: 'int32', shape: [logits!.shape[0]!, numSamples as number] }),
  lower: (g, { logits, state }, attrs, call) => {
    const [batch, samples] = call.outputs[0]!.shape as [number, number];
    const events = logits!.shape[1]!;
    if (events === 1) return rows(g.filled(0, [batch, samples], 'int32'));
    const given = logits!.dtype === 'float32' ? g.rows(logits!) : g.cast(g.rows(logits!), 'float32');
    const probabilities = attrs['normalized'] ? given : g.op('Softmax', [given], { axis: -1 });
    const sums = g.op('Slice', [g.op('CumSum', [probabilities, g.scalar(1, 'int32')]), g.ints([0]), g.ints([events - 1]), g.ints([1])]);
    const [k1, k2] = keys(g, g.rows(state!), attrs['call'] as number, stepRandom.hashSeed(attrs['seed']));
    const drawn = g.reshape(unit(g, positions(g, batch * samples), k1, k2), [batch, samples, 1]);
    const reached = g.op('Not', [g.op('Less', [drawn, g.reshape(sums, [batch, 1, events - 1])])]);
    return rows(g.op('ReduceSum', [g.cast(reached, 'int32'), g.ints([2])], { keepdims: 0 }));
  },
};

defineKernels(multinomial, {
  kernel: 'CounterRandom',
  form: 'counter hash on uint32 (BitShift, BitwiseXor, Mul), Cast',
  infer: (_, { shape, dtype }) => ({ dtype: dtype as DType, shape: shape as number[] }),
  lower: (g, { state }, attrs) => {
    const shape = attrs['shape'] as number[];
    const size = sizeOf(shape);
    const [k1, k2] = keys(g, g.rows(state!), attrs['call'] as number, stepRandom.hashSeed(attrs['seed']));
    const flat = draws[attrs['kind'] as keyof typeof draws](g, positions(g, size), k1, k2, attrs['a'] as number, attrs['b'] as number);
    const dtype = attrs['dtype'] as DType;
    // Truth values are the whole parts of the numbers, as in tfjs.
    const whole = dtype === 'float32' ? flat : g.cast(flat, 'int32');
    return rows(g.reshape(dtype === 'bool' ? g.cast(whole, 'bool') : whole, shape));
  },
});
