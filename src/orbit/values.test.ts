import { describe, expect, it } from 'vitest';
import { getNumber, getValue, getValues, isDictionary, toNumber } from './values.js';

const data = new Float32Array([1, 2, 3, 4, 5, 6]);

describe('getValue', () => {
  it.each([
    ['arraySync', { shape: [2], arraySync: () => [1, 2] }, [1, 2]],
    [
      'dataSync',
      { shape: [2, 3], dataSync: () => data },
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    ['array', { shape: [], array: async () => 7 }, 7],
    [
      'data()',
      { shape: [3, 2], data: async () => data },
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    ['a data array', { shape: [1, 2], data: data.subarray(0, 2), dtype: 'float32' }, [[1, 2]]],
    ['a scalar data array', { shape: [], data: data.subarray(0, 1), dtype: 'float32' }, 1],
    ['no elements', { shape: [0], data: data.subarray(0, 0) }, []],
  ])('reads a tensor that offers %s', async (_, tensor, value) => {
    expect(await getValue(tensor)).toEqual(value);
  });

  it('leaves everything else as it is', () => {
    for (const value of [3, 'x', null, undefined, data, [1, [2]], true]) expect(getValue(value)).toBe(value);
  });

  it('is synchronous wherever the tensor is', () => {
    expect(getValue({ shape: [], dataSync: () => data })).toBe(1);
  });
});

describe('getValues', () => {
  it('converts every leaf into a new dictionary', async () => {
    const output = { a: { b: { shape: [], dataSync: () => data } }, c: 2 };
    const values = await getValues(output);
    expect(values).toEqual({ a: { b: 1 }, c: 2 });
    expect(typeof output.a.b).toBe('object');
  });
});

describe('numbers', () => {
  it('come from scalars, single elements, booleans and big integers', async () => {
    expect(await getNumber({ shape: [1, 1], arraySync: () => [[2]] }, 'x')).toBe(2);
    expect([toNumber(3n, 'x'), toNumber(true, 'x'), toNumber(new Float32Array([4]), 'x')]).toEqual([3, 1, 4]);
  });

  it('are refused from anything else, by name', () => {
    expect(() => toNumber([1, 2], 'The summary `loss`')).toThrow(
      'The summary `loss` should be one number, but it is an array of 2 elements.',
    );
    expect(() => toNumber('high', 'x')).toThrow(/string "high"/);
    expect(() => toNumber(null, 'x')).toThrow(/null/);
  });
});

describe('isDictionary', () => {
  it('tells nested results from leaves', () => {
    expect([{}, { a: 1 }, Object.create(null)].every(isDictionary)).toBe(true);
    expect([null, [], data, new Map(), { shape: [], data }].some(isDictionary)).toBe(false);
  });
});
