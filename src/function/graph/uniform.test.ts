import { expect, it } from 'vitest';
import { constantOf, uniformValue } from './uniform.js';

it('equal uniform arrays are one array, and others are copies', () => {
  const ones = constantOf(new Float32Array(5000).fill(1), 'float32', 5000);
  expect(constantOf(new Float32Array(5000).fill(1), 'float32', 5000)).toBe(ones);
  expect([...new Set(ones)]).toEqual([1]);
  expect(constantOf(new Int32Array(5000).fill(1), 'int32', 5000)).toBeInstanceOf(Int32Array);
  const mixed = new Float32Array(5000).fill(1);
  mixed[4999] = 2;
  const copy = constantOf(mixed, 'float32', 5000);
  expect(copy).toEqual(mixed);
  mixed[0] = 9;
  expect(copy[0]).toBe(1);
});

it('zeros of both signs and values that are not a number are told apart', () => {
  const of = (value: number): Float32Array => constantOf(new Float32Array(2000).fill(value), 'float32', 2000) as Float32Array;
  expect([0, -0, NaN].map((x) => Object.is(of(x)[1999], x))).toEqual([true, true, true]);
  const signs = new Float32Array(2000);
  signs[1999] = -0;
  expect(uniformValue(signs)).toBeUndefined();
  expect(uniformValue(of(NaN))).toBeNaN();
});

it('the value of a uniform array is known, whatever its size', () => {
  expect(uniformValue(Float32Array.of(3, 3))).toBe(3);
  expect(uniformValue(Float32Array.of(3, 4))).toBeUndefined();
  expect(uniformValue(new Float32Array(0))).toBeUndefined();
  expect(uniformValue(new Uint8Array(4000).fill(1))).toBe(1);
});
