import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';

import {
  fromTfExamples,
  fromTfSequenceExamples,
  inspectData,
  parseExample,
  setNoticeHandler,
  TfExampleBuilder,
  tfRecords,
  writeSmallDataset,
} from '../../index.js';

const fixtures = resolve(import.meta.dirname, '../../../../tests/fixtures/data');
const plain = join(fixtures, 'sequences.tfrecord');
const zstd = join(fixtures, 'sequences.tfrecord.zst');
const directory = mkdtempSync(join(tmpdir(), 'orbit-examples-'));
const notices: string[] = [];
setNoticeHandler((message) => void notices.push(message));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setNoticeHandler();
});

const specs = {
  context: { id: { dtype: 'int32', shape: [] } },
  featureLists: { frame: { dtype: 'float32', shape: [2] }, token: { dtype: 'int32', shape: [] } },
} as const;

describe('record files compressed with zstd', () => {
  it('hold the same records, from the start and from any position', async () => {
    const records = await tfRecords(plain).toArray();
    expect(records.length).toBe(6);
    expect(await tfRecords(zstd, { compression: 'zstd' }).toArray()).toEqual(records);
    const first = tfRecords(zstd, { compression: 'zstd' }).iterator();
    for (let i = 0; i < 4; i++) await first.next();
    const second = tfRecords(zstd, { compression: 'zstd' }).iterator();
    second.loadStateDict(first.stateDict());
    expect((await second.next()).value).toEqual(records[4]);
    await Promise.all([first.return(), second.return()]);
  });

  it('are refused where they are something else, or cut off', async () => {
    await expect(tfRecords(plain, { compression: 'zstd' }).toArray()).rejects.toThrow(/no zstd file, or damaged/);
    const cut = join(directory, 'cut.zst');
    writeFileSync(cut, readFileSync(zstd).subarray(0, 200));
    await expect(tfRecords(cut, { compression: 'zstd' }).toArray()).rejects.toThrow(/cut\.zst .*(truncated|damaged)/);
    expect(() => tfRecords(plain, { compression: 'lz4' as 'zstd' })).toThrow(/no compression "lz4" of record files; expected none, gzip/);
  });

  it('are told by inspectData, which sees that they hold sequences', async () => {
    for (const path of [plain, zstd]) {
      const { format, compression, records, schema, first } = await inspectData(path, { rows: 2 });
      expect({ format, compression, records }).toEqual({ format: 'TFRecord', compression: path === zstd ? 'zstd' : 'none', records: 6 });
      expect(schema).toEqual([
        { name: 'id', type: 'int64[1]' },
        { name: 'name', type: 'bytes[1]' },
        { name: 'frame', type: 'sequence of 0 to 3, float[2]' },
        { name: 'token', type: 'sequence of 0 to 3, int64[1]' },
        { name: 'word', type: 'sequence of 0 to 3, bytes[1]' },
      ]);
      expect(first[1]).toMatchObject({ id: [1], token: [[-1]], frame: [[1.5, 0]] });
    }
  });
});

describe('inspectData of record files', () => {
  it('tells records that are no examples', async () => {
    const path = join(directory, 'raw.tfrecord');
    await writeSmallDataset([new TextEncoder().encode('hello, this is text')], path);
    expect(await inspectData(path)).toMatchObject({ records: 1, schema: [{ name: 'record', type: 'bytes that are no tf.train.Example' }] });
  });

  it('tells gzip by the first bytes and an empty file', async () => {
    const path = join(directory, 'sequences.tfrecord.gz');
    writeFileSync(path, gzipSync(readFileSync(plain)));
    expect(await inspectData(path)).toMatchObject({ compression: 'gzip', records: 6 });
    writeFileSync(join(directory, 'empty.tfrecord'), '');
    expect(await inspectData(join(directory, 'empty.tfrecord'))).toMatchObject({ records: 0, schema: [], first: [] });
  });
});

describe('fromTfSequenceExamples', () => {
  it('reads context and lists, compressed or not, resumes, and makes padded batches', async () => {
    const rows = await fromTfSequenceExamples(plain, specs).toArray();
    expect(rows.map(({ context, featureLists }) => [context.id.data[0], featureLists.token.rows])).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => [i, i % 4]),
    );
    expect(await fromTfSequenceExamples(zstd, specs).toArray()).toEqual(rows);
    const first = fromTfSequenceExamples(plain, specs).iterator();
    for (let i = 0; i < 4; i++) await first.next();
    const second = fromTfSequenceExamples(plain, specs).iterator();
    second.loadStateDict(first.stateDict());
    expect((await second.next()).value).toEqual(rows[4]);
    await Promise.all([first.return(), second.return()]);
    const [batch] = await fromTfSequenceExamples(plain, specs).paddedBatch(4).toArray();
    expect(batch!.featureLists.frame.shape).toEqual([4, 3, 2]);
  });

  it('names file, record, list and step of what breaks a rule, or leaves the record out', async () => {
    const strict = { featureLists: { token: { dtype: 'int32', shape: [], max: 0 } } } as const;
    await expect(fromTfSequenceExamples(plain, strict).toArray()).rejects.toThrow(
      /sequences\.tfrecord, record at byte \d+: Feature token, step 2: the value is 1; a number from -∞ to 0 was expected/,
    );
    expect((await fromTfSequenceExamples(plain, strict, { onBadRecord: { skip: 1 } }).toArray()).length).toBe(5);
    expect(() => fromTfSequenceExamples(plain, { featureLists: { x: { dtype: 'int32', allowMissing: true } } })).toThrow(
      /Feature list x: allowMissing needs a shape/,
    );
  });
});

describe('rules of features', () => {
  const path = join(directory, 'rules.tfrecord');
  const write = () =>
    writeSmallDataset(
      [
        [0.5, 1, 3],
        [0.5, NaN, 3],
        [0.5, 1, 12],
      ].map(([a, b, label]) => new TfExampleBuilder().addFloatsFeature('x', [a!, b!]).addIntsFeature('label', label!)),
      path,
    );
  const label = { dtype: 'int32', shape: [], min: 0, max: 9 } as const;

  it.each([
    ['fixed shapes', { x: { dtype: 'float32', shape: [2] }, label }],
    ['shapes of the records', { x: { dtype: 'float32' }, label }],
  ] as const)('are checked for features of %s', async (_, specs) => {
    await write();
    await expect(fromTfExamples(path, specs).toArray()).rejects.toThrow(
      /rules\.tfrecord, record at byte \d+: Feature x: the value 1 is NaN; a finite number was expected \(allowNaN: true allows it\)/,
    );
    const lenient = { ...specs, x: { ...specs.x, allowNaN: true } };
    await expect(fromTfExamples(path, lenient).toArray()).rejects.toThrow(
      /record at byte \d+: Feature label: the value is 12; a number from 0 to 9 was expected/,
    );
    const rows = await fromTfExamples(path, lenient, { onBadRecord: { skip: 1 } }).toArray();
    expect(rows.map(({ x }) => x.data[1])).toEqual([1, NaN]);
    expect((await fromTfExamples(path, specs, { onBadRecord: { skip: 2 } }).toArray()).length).toBe(1);
    expect(notices.at(-1)).toMatch(/2 bad records were left out, 1 read/);
  });

  it('are checked by parseExample, and must make sense', () => {
    const bytes = new TfExampleBuilder().addFloatsFeature('x', [Infinity]).serializedExample;
    expect(() => parseExample(bytes, { x: { dtype: 'float32' } })).toThrow(/Feature x: the value is Infinity/);
    expect(parseExample(bytes, { x: { dtype: 'float32', allowNaN: true } }).x.data[0]).toBe(Infinity);
    expect(() => fromTfExamples(plain, { x: { dtype: 'int32', min: 3, max: 2 } })).toThrow(/Column x: min is 3, above max, which is 2/);
  });
});
