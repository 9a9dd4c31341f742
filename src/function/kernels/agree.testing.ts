/** For tests: compares compiled functions with eager tfjs, and generates tensors. */
import * as tf from '#tf';
import fc from 'fast-check';
import { expect } from 'vitest';
import { sizeOf, zeros, type DType } from '../dtype.js';
import { compile } from '../index.js';

/** A function of tensors; the names of a group tell which one differs. */
export type Op = (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/**
 * Compares all functions of a group, compiled together, with their eager results: shapes, dtypes, values to a relative 1e-5;
 * then again with all tensors but the first as constants of the program.
 * tfjs's truth values can be other numbers than 0 and 1 (true + true is 2): what counts is whether they are 0.
 */
export function agree(ops: Readonly<Record<string, Op>>, ...xs: tf.Tensor[]): void {
  const listed = (op: Op, inputs: tf.Tensor[]): tf.Tensor[] => [op(...inputs)].flat();
  const all = (inputs: tf.Tensor[]): Record<string, tf.Tensor[]> =>
    Object.fromEntries(Object.entries(ops).map(([name, op]) => [name, listed(op, inputs)]));
  // Some of tfjs's kernels write into their inputs.
  const expected = all(xs.map((x) => tf.tensor(x.dataSync().slice(), x.shape, x.dtype)));
  const compare = (compiled: (...inputs: tf.Tensor[]) => Record<string, tf.Tensor[]>, inputs: tf.Tensor[], how: string): void => {
    const step = compile(compiled);
    const got = step.runSync(...inputs);
    step.dispose();
    for (const [name, outputs] of Object.entries(expected))
      outputs.forEach((e, i) => close(got[name]![i]!, e, `${name}, result ${i}${how}`));
  };
  compare((...inputs) => all(inputs), xs, '');
  const constants = xs.slice(1).map((x) => ({ data: x.dataSync().slice(), shape: x.shape, dtype: x.dtype }));
  const made = (): tf.Tensor[] => constants.map(({ data, shape, dtype }) => tf.tensor(data, shape, dtype));
  compare((x) => all([x!, ...made()]), xs.slice(0, 1), ', all but the first tensor constant');
}

/** The functions of a group that tfjs takes for these inputs. */
export function accepted(ops: Readonly<Record<string, Op>>, ...xs: tf.Tensor[]): Record<string, Op> {
  const takes = ([, op]: [string, Op]): boolean => {
    try {
      op(...xs);
      return true;
    } catch {
      return false;
    }
  };
  return Object.fromEntries(Object.entries(ops).filter(takes));
}

function close(got: tf.Tensor, expected: tf.Tensor, name: string): void {
  expect({ name, dtype: got.dtype, shape: got.shape }).toEqual({ name, dtype: expected.dtype, shape: expected.shape });
  const [a, b] = [expected.dataSync(), got.dataSync()];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (expected.dtype === 'bool' ? Boolean(x) === Boolean(y) : x === y) continue;
    if ((Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 1e-5 * Math.max(Math.abs(x), 0.1)) continue;
    expect.fail(`${name}: element ${i} of ${expected.dtype}[${expected.shape.join()}] is ${x} eagerly and ${y} compiled`);
  }
}

/** The gradients of an op by all its arguments, for an output gradient that differs from element to element. */
export function gradients(op: (...xs: tf.Tensor[]) => tf.Tensor): Op {
  return (...xs) => {
    const weighted = (...args: tf.Tensor[]): tf.Tensor => {
      const y = op(...args);
      const weights = Float32Array.from({ length: y.size }, (_, i) => ((i * 7) % 5) - 1.5);
      return y.mul(tf.tensor(weights, y.shape)).sum();
    };
    return tf.grads(weighted)(xs);
  };
}

/** ORBIT_LONG_TESTS=1 makes properties hold for many more values, other ones in each run; give vitest a longer `--testTimeout`. */
const LONG = process.env['ORBIT_LONG_TESTS'] === '1';

/**
 * Runs a property on generated values; tensors made inside are disposed. The seed is fixed, so that a failure comes back; a long
 * run prints its own.
 */
export function check<T>(arbitrary: fc.Arbitrary<T>, runs: number, property: (value: T) => void, seed = 5): void {
  fc.assert(
    fc.property(arbitrary, (value) => tf.tidy(() => property(value))),
    LONG ? { numRuns: 20 * runs } : { numRuns: runs, seed },
  );
}

/** A shape of at most `rank` dimensions of 0 to 4 elements. */
export const shapes = (rank: number, least = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(Math.max(least, 0)) }), {
    minLength: 0,
    maxLength: rank,
  });

// Multiples of 1/64: products of some dozens neither overflow nor vanish, whatever their order.
const ordinary = fc.integer({ min: -256, max: 256 }).map((n) => n / 64);
const special = fc.constantFrom(0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, NaN, Infinity, -Infinity);

const elements: Record<DType | 'ordinary' | 'positive' | 'extreme', fc.Arbitrary<number>> = {
  float32: fc.oneof(ordinary, special),
  ordinary,
  positive: fc.integer({ min: 8, max: 256 }).map((n) => n / 64),
  extreme: fc.oneof(special, fc.constantFrom(1e-8, -1e-8, 1e-40, 3e9, -3e9, 1e30), fc.float()),
  int32: fc.integer({ min: -5, max: 5 }),
  bool: fc.integer({ min: 0, max: 1 }),
};

/** Elements of a kind: float32 with NaN, infinities and zeros of both signs, `ordinary` and `positive` floats, floats of every magnitude, int32, bool. */
export type Kind = keyof typeof elements;

/** A tensor of a shape. */
export function tensors(shape: readonly number[], kind: Kind = 'float32'): fc.Arbitrary<tf.Tensor> {
  const size = sizeOf(shape);
  const dtype = kind === 'int32' || kind === 'bool' ? kind : 'float32';
  return fc.array(elements[kind], { minLength: size, maxLength: size }).map((values) => {
    const data = zeros(dtype, size);
    data.set(values);
    return tf.tensor(data, [...shape], dtype);
  });
}

/** A tensor of int32 numbers from `min` to `max`. */
export function indices(shape: readonly number[], min: number, max: number): fc.Arbitrary<tf.Tensor> {
  const size = sizeOf(shape);
  return fc.array(fc.integer({ min, max }), { minLength: size, maxLength: size }).map((values) => tf.tensor(values, [...shape], 'int32'));
}

/** float32, int32 or bool elements. */
export const dtypes = fc.constantFrom<Kind>('float32', 'int32', 'bool');

/** A tensor of one or more dimensions and one of its axes, counted from either end. */
export const withAxis = (kinds: fc.Arbitrary<Kind>, least = 0): fc.Arbitrary<{ x: tf.Tensor; axis: number }> =>
  fc
    .tuple(
      shapes(4, least).filter((s) => s.length > 0),
      kinds,
    )
    .chain(([shape, kind]) => fc.record({ x: tensors(shape, kind), axis: fc.integer({ min: -shape.length, max: shape.length - 1 }) }));

/** Two shapes that broadcast together. */
export const pairs = (least = 0): fc.Arbitrary<[number[], number[]]> =>
  shapes(4, least).chain((shape) =>
    fc
      .tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.nat(shape.length), fc.boolean())
      .map(([ones, drop, swap]) => {
        const other = shape.map((d, i) => (ones[i] ? 1 : d)).slice(drop);
        return swap ? [other, shape] : [shape, other];
      }),
  );
