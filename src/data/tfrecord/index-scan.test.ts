import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fromTfExamples, fromTfSequenceExamples, TfExampleBuilder, tfRecords, writeTfRecords } from '../index.js';

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');
const directory = mkdtempSync(join(tmpdir(), 'orbit-indexed-'));
afterAll(() => rmSync(directory, { recursive: true }));

const RECORDS = 3000;
/** Records of all sizes: most small, some longer than what is read at a time. */
const sizeOf = (i: number): number => (i % 1000 === 999 ? 1_500_000 : (i * 37) % 600);
const path = join(directory, 'large.tfrecord');
const small = join(directory, 'examples.tfrecord');
const specs = { x: { dtype: 'float32', shape: [2] }, label: { dtype: 'int32', shape: [], max: 9 } } as const;

beforeAll(async () => {
  await writeTfRecords(path, (function* () { for (let i = 0; i < RECORDS; i++) yield new Uint8Array(sizeOf(i)).fill(i % 251); })()); // prettier-ignore
  await writeTfRecords(
    small,
    Array.from(
      { length: 50 },
      (_, i) => new TfExampleBuilder().addFloatsFeature('x', [i, -i]).addIntsFeature('label', i % 10).serializedExample,
    ),
  );
});

describe('indexed record files', () => {
  it('know their number and give the same records as those read in order, at any position', async () => {
    const indexed = tfRecords(path, { indexed: true });
    expect(indexed.length).toBe(RECORDS);
    let i = 0;
    for await (const record of indexed) {
      expect(record.length).toBe(sizeOf(i));
      expect(record[0] ?? i % 251).toBe(i % 251);
      i++;
    }
    expect(i).toBe(RECORDS);
    const some = await indexed.skip(2500).take(2).toArray();
    expect(some.map(({ length }) => length)).toEqual([sizeOf(2500), sizeOf(2501)]);
  });

  it('are shuffled as a whole, and go on from a number', async () => {
    const open = () => fromTfExamples([small, small], specs, { indexed: true }).shuffle({ seed: 4 }).batch(8);
    const batches = await open().toArray();
    const labels = batches.flatMap(({ x }) => Array.from({ length: x.rows }, (_, i) => x.data[2 * i]!));
    expect([...labels].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i >> 1));
    expect(labels.slice(0, 20).some((value) => value >= 40)).toBe(true);
    const first = open().iterator(0);
    for (let i = 0; i < 5; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
    expect((await second.next()).value).toEqual(batches[5]);
  });

  it('cut batches and read sequence examples', async () => {
    const batches = await fromTfExamples(small, specs, { indexed: true, batchSize: 20 }).toArray();
    expect(batches.map(({ x }) => x.shape)).toEqual([[20, 2], [20, 2], [10, 2]]); // prettier-ignore
    const sequences = fromTfSequenceExamples(
      join(fixtures, 'sequences.tfrecord'),
      { context: { id: { dtype: 'int32', shape: [] } } },
      { indexed: true },
    );
    expect((await sequences.toArray()).map(({ context }) => context.id.data[0])).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('say which record is bad, truncated or damaged, and refuse what cannot be indexed', async () => {
    const strict = { ...specs, label: { dtype: 'int32', shape: [], max: 8 } } as const;
    await expect(fromTfExamples(small, strict, { indexed: true }).toArray()).rejects.toThrow(
      /examples\.tfrecord, record at byte \d+: .*label/,
    );
    const bytes = readFileSync(small);
    const cut = join(directory, 'cut.tfrecord');
    writeFileSync(cut, bytes);
    truncateSync(cut, bytes.length - 3);
    expect(() => tfRecords(cut, { indexed: true })).toThrow(/cut\.tfrecord is truncated: it ends inside the record at byte \d+/);
    bytes[20]! ^= 1; // in the first record's contents
    writeFileSync(cut, bytes);
    await expect(tfRecords(cut, { indexed: true }).toArray()).rejects.toThrow(
      /the record at byte 0 is damaged: its checksum does not match/,
    );
    writeFileSync(cut, '');
    expect(() => tfRecords(cut, { indexed: true })).toThrow(/has no records/);
    expect(() => tfRecords(join(directory, 'none'), { indexed: true })).toThrow(/there is no such file/);
    expect(() => tfRecords(join(fixtures, 'sequences.tfrecord.zst'), { indexed: true })).toThrow(/is compressed with zstd/);
    expect(() => tfRecords(small, { indexed: true, compression: 'gzip' })).toThrow(/indexed needs record files without compression/);
    expect(() => fromTfExamples(small, specs, { indexed: true, onBadRecord: { skip: 1 } })).toThrow(/leave out onBadRecord or indexed/);
  });
});
