import { RecordBatchFileWriter, tableFromArrays } from 'apache-arrow';
import { parquetWriteFile } from 'hyparquet-writer';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromJsonLines, fromParquet, fromTfExamples, TfExampleBuilder, writeSmallDataset, type Dataset, type NDArray, type OnBadRecord,
} from '../index.js'; // prettier-ignore
import { testFolder } from './checked-in.testing.js';

/** Every failure of a value in every format of records: the second of three records is the bad one. */
const { directory, notices } = testFolder();

type Row = { readonly x: number; readonly label: number };
const columns = { x: 'float32', label: { dtype: 'int32', min: 0, max: 9 } } as const;
const path = (name: string): string => join(directory, name);

const formats: Record<string, { write(rows: readonly Row[]): Promise<void> | void; read(bad?: OnBadRecord): Dataset<{ label: NDArray }> }> =
  {
    csv: {
      write: (rows) => writeFileSync(path('t.csv'), `x,label\n${rows.map(({ x, label }) => `${x},${label}\n`).join('')}`),
      read: (onBadRecord) => fromCsv(path('t.csv'), { columns, onBadRecord }),
    },
    'json lines': {
      // JSON has no NaN: a text in its place is as bad a number.
      write: (rows) =>
        writeFileSync(path('t.jsonl'), rows.map(({ x, label }) => `{"x":${Number.isNaN(x) ? '"NaN"' : x},"label":${label}}\n`).join('')),
      read: (onBadRecord) => fromJsonLines(path('t.jsonl'), { columns, onBadRecord }),
    },
    parquet: {
      write: (rows) =>
        parquetWriteFile({
          filename: path('t.parquet'),
          columnData: [
            { name: 'x', data: rows.map(({ x }) => x), type: 'DOUBLE' },
            { name: 'label', data: rows.map(({ label }) => label), type: 'DOUBLE' },
          ],
        }),
      read: (onBadRecord) => fromParquet(path('t.parquet'), { columns, onBadRecord }),
    },
    arrow: {
      write: async (rows) => {
        const table = tableFromArrays({ x: Float64Array.from(rows, ({ x }) => x), label: Float64Array.from(rows, ({ label }) => label) });
        writeFileSync(path('t.arrow'), await RecordBatchFileWriter.writeAll(table).toUint8Array());
      },
      read: (onBadRecord) => fromArrow(path('t.arrow'), { columns, onBadRecord }),
    },
    'tf.Example': {
      write: (rows) =>
        writeSmallDataset(
          rows.map(({ x, label }) => {
            const example = new TfExampleBuilder().addFloatsFeature('x', x);
            return Number.isInteger(label) ? example.addIntsFeature('label', label) : example.addFloatsFeature('label', label);
          }),
          path('t.tfrecord'),
        ),
      read: (onBadRecord) =>
        fromTfExamples(
          path('t.tfrecord'),
          { x: { dtype: 'float32', shape: [] }, label: { dtype: 'int32', shape: [], min: 0, max: 9 } },
          { onBadRecord },
        ),
    },
  };
const failures: Record<string, [bad: Row, column: string]> = {
  'a label out of range': [{ x: 1, label: 10 }, 'label'],
  'a label that is not whole': [{ x: 1, label: 1.5 }, 'label'],
  'NaN among the features': [{ x: NaN, label: 1 }, 'x'],
};

describe.each(Object.keys(formats))('%s', (name) => {
  const { write, read } = formats[name]!;

  it.each(Object.keys(failures))('names file, record and column of %s, or leaves the record out and counts it', async (failure) => {
    const [bad, column] = failures[failure]!;
    await write([{ x: 0, label: 0 }, bad, { x: 2, label: 2 }]);
    const error: unknown = await (async () => read().toArray())().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'DataError' });
    const { message } = error as Error;
    expect(message).toContain(path('t.'));
    expect(message).toMatch(/(line 3|line 2|record 2|record at byte \d+)\b/);
    expect(message).toMatch(new RegExp(`\\b${column}\\b`));
    const rest = await read({ skip: 1 }).toArray();
    expect(rest.map(({ label }) => label.data[0])).toEqual([0, 2]);
    expect(notices.at(-1)).toMatch(/1 bad record was left out, 2 read\. The first: /);
    await expect(read({ skip: 0 }).toArray()).rejects.toThrow(/bad record 1 of this pass; onBadRecord leaves out 0 at most/);
  });
});

describe('a file that is cut off', () => {
  const files: Record<string, string> = { parquet: 't.parquet', arrow: 't.arrow', 'tf.Example': 't.tfrecord' };

  it.each(Object.keys(files))('ends in an error, whatever may be left out: %s', async (name) => {
    const { write, read } = formats[name]!;
    await write(Array.from({ length: 50 }, (_, i) => ({ x: i, label: i % 10 })));
    const file = path(files[name]!);
    const bytes = readFileSync(file);
    for (const part of [0.3, 0.6, 0.95]) {
      writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length * part) + 3)); // within a record
      const error: unknown = await (async () => read({ skip: 1000 }).toArray())().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ name: 'DataError', message: expect.stringMatching(/t\.\w+.*(truncated|damaged)/) as string });
    }
  });
});
