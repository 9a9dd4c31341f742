import { describe, expect, it } from 'vitest';

import { decodeExample, TfExampleBuilder, type Example, type Feature } from '../index.js';

const one: Feature = { kind: 'int64', values: [1] };

describe('TfExampleBuilder', () => {
  it('chains every call and takes scalars and lists', () => {
    const builder = new TfExampleBuilder();
    const same = builder
      .addFeature('a', one)
      .addFeatureDict({ b: one, c: { kind: 'float', values: Float32Array.of(2) } })
      .addFeatureDict(new Map([['d', one]]))
      .addBytesFeature('e', ['x', Uint8Array.of(0, 255)])
      .addIntsFeature('f', Int32Array.of(3, 4))
      .addFloatsFeature('g', [0.5, NaN])
      .addBytesFeature('h', []);
    expect(same).toBe(builder);
    expect([...decodeExample(builder.serializedExample)]).toEqual([
      ['a', one],
      ['b', one],
      ['c', { kind: 'float', values: Float32Array.of(2) }],
      ['d', one],
      ['e', { kind: 'bytes', values: [Uint8Array.of(120), Uint8Array.of(0, 255)] }],
      ['f', { kind: 'int64', values: [3, 4] }],
      ['g', { kind: 'float', values: Float32Array.of(0.5, NaN) }],
      ['h', { kind: 'bytes', values: [] }],
    ]);
  });

  it('works on the example itself, which may be given, set and reset', () => {
    const example: Example = new Map();
    const builder = new TfExampleBuilder(example).addFeature('a', one);
    expect(builder.example).toBe(example);
    example.set('b', one); // seen by the builder: it is no copy
    expect([...decodeExample(builder.serializedExample).keys()]).toEqual(['a', 'b']);
    const other: Example = new Map([['c', one]]);
    expect(builder.set(other).example).toBe(other);
    expect(builder.reset().example.size).toBe(0);
    expect(builder.serializedExample).toEqual(new Uint8Array(0));
    expect(other.size).toBe(1);
  });

  it('refuses values of another type, and integers that 64 bits do not hold', () => {
    const builder = new TfExampleBuilder();
    const wrong = (value: unknown): never => value as never;
    expect(() => builder.addBytesFeature('a', wrong(5))).toThrow(/Feature a: 5 is neither a text nor a Uint8Array/);
    expect(() => builder.addBytesFeature('a', wrong(['x', 5]))).toThrow(/Feature a: 5 is neither/);
    expect(() => builder.addIntsFeature('a', wrong(['1']))).toThrow(/Feature a: 1 is no integer/);
    expect(() => builder.addIntsFeature('a', 2n ** 63n)).toThrow(/Feature a: 9223372036854775808 is no integer/);
    expect(() => builder.addFloatsFeature('a', wrong('1.5'))).toThrow(/Feature a: "1.5" is no number/);
    expect(() => builder.addFloatsFeature('a', wrong([1, '2']))).toThrow(/Feature a: "2" is no number/);
    expect(decodeExample(builder.addIntsFeature('a', -(2n ** 63n)).serializedExample).get('a')).toEqual({
      kind: 'int64',
      values: [-(2n ** 63n)],
    });
  });
});
