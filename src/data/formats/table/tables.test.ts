import { describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromJsonLines, fromParquet, NDArray, type Dataset,
} from '../../index.js'; // prettier-ignore
import { at, expected } from '../checked-in.testing.js';

const columns = { id: 'int32', weight: 'float64', tiny: 'float64', name: 'string', ok: 'bool' } as const;
const plain = (row: Record<string, unknown>): unknown =>
  Object.fromEntries(
    Object.entries(row).map(([key, v]) => [key, v instanceof NDArray ? (v.dtype === 'bool' ? v.data[0] === 1 : v.data[0]) : v]),
  );

const tables: Record<string, () => Dataset<Record<string, unknown>>> = {
  'table.csv': () => fromCsv(at('table.csv'), { columns }),
  'table.tsv': () => fromCsv(at('table.tsv'), { columns }),
  'table.csv.gz': () => fromCsv(at('table.csv.gz'), { columns }),
  'table.csv.zst': () => fromCsv(at('table.csv.zst'), { columns }),
  'table.jsonl': () => fromJsonLines(at('table.jsonl'), { columns }),
  'table.arrow': () => fromArrow(at('table.arrow'), { columns }),
  'table.arrows': () => fromArrow(at('table.arrows'), { columns }),
  ...Object.fromEntries(
    ['none', 'snappy', 'gzip', 'zstd'].map((codec) => [`${codec}.parquet`, () => fromParquet(at(`table-${codec}.parquet`), { columns })]),
  ),
};

describe('tables', () => {
  it.each(Object.keys(tables))('reads %s as its writer wrote it, and goes on from any position', async (name) => {
    const dataset = tables[name]!();
    const rows = (await dataset.toArray()).map(plain);
    expect(rows).toEqual(expected.table);
    for (const taken of [0, 1, 9, 10, 24, 25]) {
      const first = dataset.iterator();
      for (let i = 0; i < taken; i++) await first.next();
      const second = tables[name]!().iterator();
      second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
      const rest: unknown[] = [];
      for await (const row of second) rest.push(plain(row));
      expect(rest).toEqual(expected.table.slice(taken));
      await first.return();
    }
  });

  it('makes batches across files and blocks, and resumes between them', async () => {
    const files = [at('table.csv'), at('table.csv.gz'), at('table.csv')];
    const open = () => fromCsv(files, { columns: { id: 'int32', name: 'string' }, batchSize: 8, dropRemainder: true });
    const batches = await open().toArray();
    expect(batches.length).toBe(9);
    const ids = expected.table.map(({ id }) => id);
    expect(batches.flatMap(({ id }) => [...id.data])).toEqual([...ids, ...ids, ...ids].slice(0, 72));
    const first = open().iterator();
    for (let i = 0; i < 4; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(first.stateDict());
    expect((await second.next()).value).toEqual(batches[4]);
    await Promise.all([first.return(), second.return()]);
  });

  it('restores a shuffle buffer over a table from its positions', async () => {
    const open = () => fromCsv(at('table.csv'), { columns: { id: 'int32' } }).shuffle({ bufferSize: 7, seed: 3 });
    const all = (await open().toArray()).map(({ id }) => id.data[0]);
    expect([...all].sort((a, b) => a! - b!)).toEqual(expected.table.map(({ id }) => id));
    const first = open().iterator(0);
    for (let i = 0; i < 11; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(first.stateDict());
    const rest: unknown[] = [];
    for await (const { id } of second) rest.push(id.data[0]);
    expect(rest).toEqual(all.slice(11));
    await first.return();
  });

  it('infers types', async () => {
    const [row] = await fromCsv(at('table.csv')).take(1).toArray();
    expect(Object.fromEntries(Object.entries(row!).map(([key, v]) => [key, v instanceof NDArray ? v.dtype : 'string']))).toEqual({
      id: 'int32', weight: 'float32', tiny: 'float32', name: 'string', ok: 'bool',
    }); // prettier-ignore
    const [parquet] = await fromParquet(at('vectors.parquet')).take(1).toArray();
    expect(parquet).toMatchObject({ v: { shape: [3], dtype: 'float32' }, label: { dtype: 'int32' } });
  });

  it('reads lists of numbers as arrays', async () => {
    for (const open of [fromParquet, fromArrow]) {
      const file = at(open === fromArrow ? 'vectors.arrow' : 'vectors.parquet');
      const [, last] = await open(file, { columns: { v: 'float32', label: 'int32' }, batchSize: 20 }).toArray();
      expect(last!.v.shape).toEqual([5, 3]);
      expect([...last!.v.data.slice(0, 3)]).toEqual([20, 20.5, -20]);
    }
  });
});
