import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  inspectData, NDArray, 
} from '../../index.js'; // prettier-ignore
import { at, testFolder } from '../checked-in.testing.js';
import { npy } from '../written-files.testing.js';

const { write } = testFolder();

describe('inspectData', () => {
  it.each([
    ['table.csv.gz', 'CSV', 25], ['table.jsonl', 'JSON lines', 25], ['table-zstd.parquet', 'Parquet', 25], ['table.arrow', 'Arrow', 25], ['grid.npy', 'npy', 4],
    ['arrays.npz', 'npz', undefined], ['arrays.safetensors', 'safetensors', undefined], ['sound-float.wav', 'WAV', 1], ['images', 'folder of classes', 6], ['images/red/c.webp', 'image', 1],
  ])('tells what %s is', async (name, format, records) => {
    const summary = await inspectData(at(name), { rows: 2 });
    expect(summary).toMatchObject({ format, records });
    expect(summary.schema.length).toBeGreaterThan(0);
    expect(summary.first.length).toBeGreaterThan(0);
  }); // prettier-ignore
});

describe('inspectData of large and odd files', () => {
  it('reads no more of arrays than it shows', async () => {
    // Sparse files: the sizes are in the header, the values are holes, and reading all of them would take memory and seconds.
    const { truncateSync } = await import('node:fs');
    const header = npy('<f4', '100000, 10000', new Uint8Array(0));
    const path = write('huge.npy', header);
    truncateSync(path, header.length + 4e9);
    const { records, schema, first } = await inspectData(path, { rows: 2 });
    expect({ records, schema }).toEqual({ records: 100_000, schema: [{ name: 'array', type: 'float32[100000, 10000]' }] });
    expect((first as NDArray[]).map(({ size }) => size)).toEqual([100, 100]);
    const json = Buffer.from(JSON.stringify({ w: { dtype: 'F32', shape: [1_000_000_000], data_offsets: [0, 4e9] } }));
    const length = Buffer.alloc(8);
    length.writeUInt32LE(json.length, 0);
    const tensors = write('huge.safetensors', Buffer.concat([length, json]));
    truncateSync(tensors, 8 + json.length + 4e9);
    expect((await inspectData(tensors)).first).toMatchObject([{ w: { shape: [100] } }]);
    const idx = write('huge.idx', Uint8Array.of(0, 0, 8, 2, 0, 15, 66, 64, 0, 0, 3, 232)); // uint8[1000000, 1000]
    truncateSync(idx, 12 + 1e9);
    expect(await inspectData(idx, { rows: 1 })).toMatchObject({ records: 1_000_000, first: [{ shape: [100] }] });
  });

  it('looks into each of several files of arrays', async () => {
    const [a, b] = [
      write('a.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9)),
      write('b.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5)),
    ];
    const { schema, records, first } = await inspectData([a, b]);
    expect(schema).toEqual([{ name: 'a.idx', type: 'uint8[3]' }, { name: 'b.idx', type: 'uint8[1]' }]); // prettier-ignore
    expect(records).toBeUndefined();
    expect(first).toMatchObject([{ 'a.idx': { data: Uint8Array.of(7) }, 'b.idx': { data: Uint8Array.of(5) } }]);
  });

  it('shows the rows of arrays as they are, in either order', async () => {
    for (const name of ['grid.npy', 'fortran.npy']) {
      const { first } = await inspectData(at(name), { rows: 2 });
      expect((first as NDArray[]).map(({ shape, data }) => [shape, [...data]])).toEqual([
        [[3, 2], [0, 1, 2, 3, 4, 5].map((i) => i / 8)],
        [[3, 2], [6, 7, 8, 9, 10, 11].map((i) => i / 8)],
      ]);
    }
    expect((await inspectData(at('arrays-deflated.npz'))).first).toMatchObject([{ labels: { data: Int32Array.of(3, 1, 4, 1) } }]);
  });

  it('counts the records of a table that breaks the types of its beginning', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => (i === 1100 ? 'x' : String(i)));
    const path = write('late.csv', `a\n${rows.join('\n')}\n`);
    expect(await inspectData(path)).toMatchObject({ records: 1200, schema: [{ name: 'a', type: 'int32' }] });
  });
});

describe('inspectData of files as other programs write them', () => {
  const wild = (name: string): string => at(`wild/${name}`);

  it('finds out what stands between cells, comments and gaps, and says which options the reader needs', async () => {
    expect(await inspectData(wild('semicolon.csv'))).toMatchObject({ options: 'delimiter: ";"', records: 3, schema: [{ name: 'n', type: 'int32' }, {}, {}, {}, {}, {}] }); // prettier-ignore
    expect(await inspectData(wild('mixed.csv'))).toMatchObject({ options: "comment: '#'", records: 4 });
    const { schema, first, options } = await inspectData(write('gaps.csv', 'a,b\n1,\n,2.5\n3,inf\n'));
    expect(schema).toEqual([
      { name: 'a', type: 'int32, missing in 1 of the first records' },
      { name: 'b', type: 'float32, missing in 1 of the first records' },
    ]);
    expect(first.map((row) => Object.values(row as Record<string, NDArray>).map(({ data }) => data[0]))).toEqual([[1, NaN], [NaN, 2.5], [3, Infinity]]); // prettier-ignore
    expect(options).toBeUndefined();
  });

  it('shows values that no column takes, and what of a file cannot be read', async () => {
    for (const name of ['wrong.parquet', 'wrong.arrow']) {
      const { first } = await inspectData(wild(name));
      expect(first.map((row) => (row as { big: unknown }).big)).toEqual([1, 2n ** 53n + 1n, 3]);
    }
    const { schema, first } = await inspectData(wild('several.npz'));
    expect(schema.map(({ type }) => type)).toEqual([
      'float32[2, 3]',
      'int32[2]',
      expect.stringMatching(/^which cannot be read: .*type <U4/),
    ]);
    expect(first).toMatchObject([{ x: { shape: [6] }, y: { shape: [2] } }]);
    expect((await inspectData(wild('eighth.safetensors'))).schema[0]!.type).toMatch(/which cannot be read: .*F8_E4M3/);
    expect((await inspectData(wild('types.parquet'))).schema[1]!.type).toMatch(/TIMESTAMP.*float64 makes it milliseconds since 1970/);
  });

  it('tells the fields of JSON lines from more records than it shows', async () => {
    const path = write('fields.jsonl', '{"a":1}\n{"a":null,"b":"x"}\n{"a":"t"}\n');
    expect(await inspectData(path, { rows: 1 })).toMatchObject({
      records: 3,
      schema: [
        { name: 'a', type: 'number or null or string' },
        { name: 'b', type: 'string, not in every record' },
      ],
      first: [{ a: 1 }],
    });
  });

  it('knows tokenizers, and files that are compressed in a way that is not read', async () => {
    const { format, schema } = await inspectData(wild('tokenizer-pieces.json'));
    expect({ format, tokens: schema[0]!.type }).toEqual({ format: 'tokenizer', tokens: 'int32, 0 to 6' });
    await expect(inspectData(wild('bzip2.csv.bz2'))).rejects.toThrow(/bzip2\.csv\.bz2 is compressed with bzip2, which cannot be read/);
    await expect(inspectData(wild('utf-16.csv'))).rejects.toThrow(/is UTF-16 text/);
    await expect(inspectData(wild('document.jsonl'))).rejects.toThrow(/Is it one JSON document\?/);
  });
});

describe('inspectData of pictures, sounds and tokenizers', () => {
  const images = join(import.meta.dirname, '../../../../tests/fixtures/images');
  const tokenizers = join(import.meta.dirname, '../../../../tests/fixtures/tokenizers');

  it('tells the extents of several files, and shows none of them where no rows are asked for', async () => {
    const files = [join(images, 'rgb.png'), at('images/red/a.png')];
    expect(await inspectData(files)).toMatchObject({
      schema: [{ type: 'uint8[40 to 46, 60 to 66, 3] (height, width, channels)' }],
      records: 2,
    });
    const { schema, first } = await inspectData(files, { rows: 0 });
    expect({ type: schema[0]!.type, first }).toEqual({
      type: 'uint8[46, 66, 3] (height, width, channels); of the first 1 files',
      first: [],
    });
  });

  it('tells length and rate of sounds', async () => {
    expect((await inspectData([at('wild/int16.wav'), at('wild/float.wav')])).schema).toEqual([
      { name: 'samples', type: 'float32[1 to 2, 2] (frames, channels), 8000 frames per second, 0.000125 to 0.00025 s' },
    ]);
  });

  it('tells the parts of a tokenizer of any name, and shows its tokens', async () => {
    const { format, schema, first } = await inspectData(join(tokenizers, 'bert-uncased.json'));
    expect({ format, types: schema.map(({ type }) => type) }).toEqual({
      format: 'tokenizer',
      types: [
        'int32, 0 to 349', 'WordPiece', 'BertNormalizer', 'BertPreTokenizer', 'BertProcessing', 'WordPiece', '[PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4',
      ],
    }); // prettier-ignore
    expect(first).toMatchObject([{ text: 'Hello, world! 123', pieces: ['h', '##e', '##ll'], decoded: 'hello, world! 123' }].map((one) => ({ ...one, pieces: expect.arrayContaining(one.pieces) as unknown }))); // prettier-ignore
    expect((await inspectData(at('wild/tokenizer-no-unknown.json'))).schema.length).toBe(7);
  });

  it('tells of a folder without classes how to look at its files', async () => {
    await expect(inspectData(images)).rejects.toThrow(
      /images has no sub-folders, which would be its classes\. .* give a pattern: '.*images\/\*\.\w+'/,
    );
  });
});
