import { expect, it } from 'vitest';
import { argumentBuffer } from './arguments.js';
import { NativeBuffer } from './buffer.js';

const large = { dtype: 'float32', shape: [100, 100] } as const;

it('reads a large argument where it lies, through one view', () => {
  const own = new NativeBuffer(large);
  const data = new Float32Array(10_000).fill(1);
  const view = argumentBuffer(own, data, true);
  expect(view.array).toBe(data);
  expect(argumentBuffer(own, data, true)).toBe(view);
});

it('makes another view of the same memory for another shape', () => {
  const data = new Float32Array(10_000);
  argumentBuffer(new NativeBuffer(large), data, true);
  const flat = argumentBuffer(new NativeBuffer({ dtype: 'float32', shape: [10_000] }), data, true);
  expect(flat.spec.shape).toEqual([10_000]);
  expect(flat.array).toBe(data);
});

it('copies small arguments, arguments of other types, and those of a run in the background', () => {
  const small = new NativeBuffer({ dtype: 'float32', shape: [2] });
  const pair = Float32Array.of(3, 4);
  expect(argumentBuffer(small, pair, true)).toBe(small);
  pair.fill(0);
  expect([...small.array]).toEqual([3, 4]);

  const own = new NativeBuffer(large);
  expect(argumentBuffer(own, new Int32Array(10_000).fill(7), true)).toBe(own);
  expect(own.array[9_999]).toBe(7);
  expect(argumentBuffer(own, new Float32Array(10_000).fill(8), false)).toBe(own);
  expect(own.array[9_999]).toBe(8);
});
