import { describe, expect, it } from 'vitest';

import { NDArray } from '../index.js';
import { decode, encode, viewsOf } from './index.js';

describe('encode and decode', () => {
  it('give back every kind of value', () => {
    const value = {
      list: [1, -0, NaN, -Infinity, 'é', '', true, null, undefined, 12n],
      arrays: [Float32Array.of(1.5), new Uint8Array(0), BigInt64Array.of(-3n), Float64Array.of(Math.PI)],
      bytes: [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)],
      tensor: new NDArray(Int32Array.of(1, 2), [2, 1], 'int32'),
      map: new Map([['key', [Int16Array.of(9)]]]),
      r: { n: [1], t: { b: [], o: 1 } },
    };
    const { text, size, write } = encode(value);
    const memory = new ArrayBuffer(size);
    write(new Uint8Array(memory));
    expect(decode(text, viewsOf(memory))).toEqual(value);
  });
});
