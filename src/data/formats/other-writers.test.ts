import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromParquet, fromTfExamples, fromWav, loadTokenizer, decodeExample, NDArray, parseExample, readIdx, readWav, tfRecords,
  TfExampleBuilder, inspectData,
} from '../index.js'; // prettier-ignore

/** Files and values of scripts/make-format-fixtures.py. */
const at = (name: string): string => join(resolve(import.meta.dirname, '../../../tests/fixtures/data'), name);
const json = <T>(name: string): T => JSON.parse(readFileSync(at(name), 'utf8')) as T;

interface Case {
  readonly text: string;
  readonly ids: number[];
  readonly special: number[];
  readonly decoded: string;
}
const expected = json<{
  wide: { rows: number; sum: number; sample: Record<string, unknown>[] };
  plain: { i: number; x: number; s: string; b: boolean }[];
  odd: string[][];
  idx: Record<string, number[]>;
  sound: Record<string, number[][]>;
  picture: Record<string, number[]>;
  tokenizers: Record<string, { size: number; cases: Case[] }>;
}>('formats.json');

const plain = (row: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([key, v]) => [key, v instanceof NDArray ? (v.dtype === 'bool' ? v.data[0] === 1 : v.data[0]) : v]),
  );

describe('tables of other writers', () => {
  it.each(['lz4', 'zstd'])('reads Arrow files of pyarrow with %s, categories and all', async (codec) => {
    const columns = { n: 'int32', f: 'float64', kind: 'string', word: 'string' } as const;
    const table = fromArrow(at(`wide-${codec}.arrow`), { columns });
    expect(table.length).toBe(expected.wide.rows);
    for (const [i, row] of [0, 7999, 8000, 19999].entries())
      expect((await table.skip(row).take(1).toArray()).map(plain)).toEqual([expected.wide.sample[i]]);
    let sum = 0;
    for await (const { n } of fromArrow(at(`wide-${codec}.arrow`), { columns, batchSize: 3000 })) for (const value of n.data) sum += value;
    expect(sum).toBe(expected.wide.sum);
  });

  it.each(['fastparquet', 'polars', 'encodings'])('reads Parquet of %s', async (name) => {
    const columns = { i: 'int32', x: 'float64', s: 'string', b: 'bool' } as const;
    expect((await fromParquet(at(`${name}.parquet`), { columns }).toArray()).map(plain)).toEqual(expected.plain);
    const shuffled = await fromParquet(at(`${name}.parquet`), { columns, cacheBytes: 1 })
      .shuffle({ seed: 2 })
      .batch(5)
      .toArray();
    const ids = shuffled.flatMap(({ i }) => [...i.data]);
    expect(ids).not.toEqual(expected.plain.map(({ i }) => i));
    expect(ids.sort((a, b) => a - b)).toEqual(expected.plain.map(({ i }) => i));
  });

  it.each(['kinds.parquet', 'kinds.arrow'])(
    'reads lists of lists, tells missing and large values, and which columns of %s it cannot read',
    async (name) => {
      const open = name.endsWith('arrow') ? fromArrow : fromParquet;
      const columns = { nested: 'float32', pair: 'int32', flag: { dtype: 'bool', default: false } } as const;
      const [batch] = await open(at(name), { columns, batchSize: 3 }).toArray();
      expect([batch!.nested.shape, batch!.pair.shape]).toEqual([[3, 2, 2], [3, 2]]); // prettier-ignore
      expect([...batch!.nested.data.subarray(0, 4), ...batch!.flag.data]).toEqual([1, 2, 3, 4, 1, 0, 0]);
      expect(() => open(at(name))).toThrow(/column time has the type .*, which cannot be read as numbers or texts; name the columns/);
      await expect(open(at(name), { columns: { id: 'int32' } }).toArray()).rejects.toThrow(
        /record 1, column id: the value is 1099511627776, which does not fit into int32; read it as float64/,
      );
      await expect(open(at(name), { columns: { id: 'float64' } }).toArray()).rejects.toThrow(
        /record 2, column id: the value is missing; give the column a default/,
      );
      const { schema, first } = await inspectData(at(name));
      expect(schema.filter(({ type }) => /cannot be read/.test(type)).map(({ name: column }) => column)).toEqual(['group']);
      expect(first.map((row) => plain(row as Record<string, unknown>)['id'])).toEqual([2 ** 40, null, 3]);
    },
  );

  it('reads CSV with a byte order mark, CRLF, quotes and line ends in cells as pandas does', async () => {
    const columns = { 'a b': 'string', number: 'string', 'quo"te': 'string', '': 'string' } as const;
    const rows = await fromCsv(at('odd.csv'), { columns }).toArray();
    expect(rows.map((row) => Object.values(row))).toEqual(expected.odd);
    const numbers = fromCsv(at('odd.csv'), { columns: { number: 'float64' }, onBadRecord: { skip: 10 } });
    // Hexadecimal digits, digit groups and commas are no numbers.
    expect((await numbers.toArray()).map(({ number }) => number.data[0])).toEqual([1000, -0.005, 7, 12, 0.5, 5]);
  });
});

describe('arrays and sounds of other writers', () => {
  it.each(Object.keys(expected.idx))('reads %s', async (name) => {
    const array = await readIdx(at(name));
    expect([array.shape, [...array.data]]).toEqual([[4, 3], expected.idx[name]]);
    expect((await inspectData(at(name), { rows: 1 })).records).toBe(4);
  });

  it.each(Object.keys(expected.sound))('reads WAV with an extensible header of %s', async (kind) => {
    const { samples, sampleRate } = await readWav(at(`extensible-${kind}.wav`));
    expect([sampleRate, samples.shape]).toEqual([44100, [8, 3]]);
    expect([...samples.data]).toEqual(expected.sound[kind]!.flat());
    expect((await fromWav(at(`extensible-${kind}.wav`)).toArray())[0]!.data).toEqual(samples.data);
  });
});

describe('records of TensorFlow', () => {
  const examples = json<{ x: number[]; label: number; name: string; many: number[]; absent: number; bytes: string }[]>('examples.json');
  const specs = {
    x: { dtype: 'float32', shape: [2] },
    label: { dtype: 'int32', shape: [] },
    name: { dtype: 'bytes', shape: [] },
    many: { dtype: 'int32' },
    absent: { dtype: 'float32', shape: [], default: 0.5 },
  } as const;

  it.each(['examples.tfrecord', 'examples.tfrecord.gz'])('reads %s to the values of its own parser', async (name) => {
    const rows = await fromTfExamples(at(name), specs).toArray();
    rows.forEach(({ x, label, many, absent }, i) => {
      const wanted = examples[i]!;
      expect([[...x.data], label.data[0], [...many.data], absent.data[0]]).toEqual([wanted.x, wanted.label, wanted.many, wanted.absent]);
    });
    const raw = await tfRecords(at(name), { compression: name.endsWith('.gz') ? 'gzip' : 'none' }).toArray();
    expect(raw.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(examples.map(({ bytes }) => bytes));
    expect(rows.length).toBe(examples.length);
    expect(parseExample(raw[7]!, specs).label.data[0]).toBe(2 ** 31 - 1);
  });

  it('encodes an example to bytes that hold the same features', () => {
    for (const { x, label, name, many, bytes } of examples) {
      const built = new TfExampleBuilder().addFloatsFeature('x', x).addIntsFeature('label', label).addBytesFeature('name', new Uint8Array(Buffer.from(name, 'hex'))).addIntsFeature('many', many); // prettier-ignore
      expect(decodeExample(built.serializedExample)).toEqual(decodeExample(new Uint8Array(Buffer.from(bytes, 'hex'))));
    }
  });
});

describe('tokenizers', () => {
  it.each(Object.keys(expected.tokenizers))('gives the tokens of the package tokenizers: %s', async (name) => {
    const { size, cases } = expected.tokenizers[name]!;
    const [bare, marked] = await Promise.all([
      loadTokenizer(at(`tokenizer-${name}.json`)),
      loadTokenizer(at(`tokenizer-${name}.json`), { specialTokens: true }),
    ]);
    expect(bare.vocabularySize).toBe(size);
    for (const { text, ids, special, decoded } of cases) {
      expect([text, [...bare.encode(text)]]).toEqual([text, ids]);
      expect([text, [...marked.encode(text)]]).toEqual([text, special]);
      expect([text, bare.decode(ids)]).toEqual([text, decoded]);
    }
  });
});
