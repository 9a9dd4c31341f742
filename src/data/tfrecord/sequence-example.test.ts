import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { NDArray } from '../ndarray.js';
import { decodeExample, TfExampleBuilder, type Feature } from './example.js';
import { decodeSequenceExample, encodeSequenceExample, hasFeatureLists, parseSequenceExample } from './index.js';

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');
interface Sequence {
  id: number;
  name: string;
  frame: number[][];
  token: number[];
  word: string[];
  bytes: string;
}
const expected = JSON.parse(readFileSync(resolve(fixtures, 'sequences.json'), 'utf8')) as Sequence[];
const bytesOf = ({ bytes }: Sequence): Uint8Array => new Uint8Array(Buffer.from(bytes, 'hex'));
const specs = {
  context: { id: { dtype: 'int32', shape: [] }, name: { dtype: 'string', shape: [] } },
  featureLists: { frame: { dtype: 'float32', shape: [2] }, token: { dtype: 'int32', shape: [] }, word: { dtype: 'string', shape: [] } },
} as const;

describe('tf.train.SequenceExample', () => {
  it('gives what TensorFlow parses from the same bytes', () => {
    for (const sequence of expected) {
      const { context, featureLists } = parseSequenceExample(bytesOf(sequence), specs);
      expect([context.id.data[0], context.name]).toEqual([sequence.id, sequence.name]);
      const steps = sequence.token.length;
      expect(featureLists.frame).toEqual(new NDArray(Float32Array.from(sequence.frame.flat()), [steps, 2], 'float32'));
      expect(featureLists.token).toEqual(new NDArray(Int32Array.from(sequence.token), [steps], 'int32'));
      expect(featureLists.word).toEqual(sequence.word);
    }
  });

  it('has the bytes that TensorFlow writes', () => {
    for (const sequence of expected)
      expect(Buffer.from(encodeSequenceExample(decodeSequenceExample(bytesOf(sequence)))).toString('hex')).toBe(sequence.bytes);
  });

  it('survives encoding and decoding, whatever it holds', () => {
    const feature: fc.Arbitrary<Feature> = fc.oneof(
      fc.array(fc.uint8Array()).map((values) => ({ kind: 'bytes' as const, values })),
      fc.float32Array().map((values) => ({ kind: 'float' as const, values })),
      fc.array(fc.maxSafeInteger()).map((values) => ({ kind: 'int64' as const, values })),
    );
    const map = <T>(value: fc.Arbitrary<T>) => fc.dictionary(fc.string(), value).map((entries) => new Map(Object.entries(entries)));
    fc.assert(
      fc.property(map(feature), map(fc.array(feature)), (context, featureLists) => {
        expect(decodeSequenceExample(encodeSequenceExample({ context, featureLists }))).toEqual({ context, featureLists });
      }),
    );
  });

  it('is told from an example and from other bytes', () => {
    const example = new TfExampleBuilder().addIntsFeature('a', 1).serializedExample;
    expect(hasFeatureLists(bytesOf(expected[1]!))).toBe(true);
    expect(hasFeatureLists(example)).toBe(false);
    expect(hasFeatureLists(new TextEncoder().encode('hello, this is text'))).toBe(false);
    expect(decodeExample(bytesOf(expected[1]!)).get('id')).toEqual({ kind: 'int64', values: [1] }); // the context alone
    expect(() => decodeSequenceExample(new TextEncoder().encode('hello, this is text'))).toThrow(/no tf.train.SequenceExample/);
    expect(() => decodeSequenceExample(bytesOf(expected[1]!).subarray(0, -2))).toThrow(/no tf.train.SequenceExample: it ends too early/);
  });

  it('is refused where it does not fit its specs, with list and step', () => {
    const parse = (featureLists: Parameters<typeof parseSequenceExample>[1]['featureLists']) => () =>
      parseSequenceExample(bytesOf(expected[3]!), { featureLists });
    expect(parse({ wrod: { dtype: 'string', shape: [] } })).toThrow(/Feature list wrod is missing .* allowMissing: true/);
    expect(parse({ token: { dtype: 'float32', shape: [] } })).toThrow(/Feature token, step 0 holds int64 values/);
    expect(parse({ token: { dtype: 'int32', shape: [], min: -1, max: 0 } })).toThrow(
      /Feature token, step 2: the value is 1; a number from -1 to 0 was expected/,
    );
    expect(parse({ frame: { dtype: 'float32', shape: [3] } })).toThrow(/Feature frame, step 0 has 2 values/);
    const missing = parseSequenceExample(bytesOf(expected[3]!), {
      featureLists: { extra: { dtype: 'float32', shape: [4], allowMissing: true } },
    });
    expect(missing.featureLists.extra.shape).toEqual([0, 4]);
    const list = (values: number[]): Feature => ({ kind: 'float', values: Float32Array.from(values) });
    const ragged = encodeSequenceExample({ context: new Map(), featureLists: new Map([['x', [list([1]), list([1, 2])]]]) });
    expect(() => parseSequenceExample(ragged, { featureLists: { x: { dtype: 'float32' } } })).toThrow(
      /Feature list x has 1 values in step 0, but 2 in step 1/,
    );
  });
});
