import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  fromTfExamples, setNoticeHandler, TfExampleBuilder, writeSmallDataset,
} from '../../index.js'; // prettier-ignore

const directory = mkdtempSync(join(tmpdir(), 'orbit-columns-'));
beforeAll(() => setNoticeHandler(() => undefined));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setNoticeHandler();
});

describe('examples in record files', () => {
  it('parses features to columns, the unusual ones too, and leaves out what does not fit', async () => {
    const path = join(directory, 'examples.tfrecord');
    const example = (i: number) =>
      new TfExampleBuilder()
        .addFloatsFeature('x', [i, i / 2])
        .addIntsFeature('label', i - 3)
        .addBytesFeature('name', `n${i}`)
        .addIntsFeature('other', 5);
    await writeSmallDataset([...Array.from({ length: 40 }, (_, i) => example(i)), example(1).addFloatsFeature('x', [1])], path);
    const specs = {
      x: { dtype: 'float32', shape: [2] },
      label: { dtype: 'int32', shape: [] },
      name: { dtype: 'string', shape: [] },
    } as const;
    await expect(fromTfExamples(path, specs).toArray()).rejects.toThrow(/examples\.tfrecord, record at byte \d+: Feature x has 1 values/);
    const batches = await fromTfExamples(path, specs, { batchSize: 16, onBadRecord: { skip: 1 } }).toArray();
    expect(batches.flatMap(({ label }) => [...label.data])).toEqual(Array.from({ length: 40 }, (_, i) => i - 3));
    expect(batches.flatMap(({ x }) => [...x.data])).toEqual(Array.from({ length: 40 }, (_, i) => [i, i / 2]).flat());
    expect(batches[1]!.name[0]).toBe('n16');
    const bytes = readFileSync(path);
    bytes[30]! ^= 1; // in the first payload
    writeFileSync(path, bytes);
    const rows = await fromTfExamples(path, specs, { onBadRecord: { skip: 2 } }).toArray();
    expect(rows.length).toBe(39);
  });
});
