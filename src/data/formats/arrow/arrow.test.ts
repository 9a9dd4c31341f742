import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { fromArrow } from '../../index.js';
import { openArrow } from './open.js';

const fixtures = resolve(import.meta.dirname, '../../../../tests/fixtures/data');
const columns = { id: 'int32' } as const;

describe('Arrow', () => {
  it.each(['table.arrow', 'table.arrows'])('reads any record batch of %s by itself, in any order', async (name) => {
    const file = openArrow(resolve(fixtures, name)).select(columns);
    expect(file.groups.map(({ rows }) => rows)).toEqual([10, 10, 5]);
    for (const group of [2, 0, 1]) {
      const ids = Array.from((await file.read(group))['id']!, Number);
      expect(ids).toEqual(Array.from({ length: file.groups[group]!.rows }, (_, i) => 3 * (10 * group + i) - 10));
    }
  });

  it('reads what the package apache-arrow writes, which has its schema in the footer alone', async () => {
    const { RecordBatchFileWriter, RecordBatchStreamWriter, tableFromArrays } = await import('apache-arrow');
    const directory = mkdtempSync(join(tmpdir(), 'orbit-arrow-'));
    try {
      const table = tableFromArrays({ x: Float64Array.of(1.5, 2.5), n: Int32Array.of(7, 8), s: ['a', 'b'] });
      for (const Writer of [RecordBatchFileWriter, RecordBatchStreamWriter]) {
        const path = join(directory, 'made.arrow');
        writeFileSync(path, await Writer.writeAll(table).toUint8Array());
        const rows = await fromArrow(path, { columns: { x: 'float64', n: 'int32', s: 'string' } }).toArray();
        expect(rows.map(({ x, n, s }) => [x.data[0], n.data[0], s])).toEqual([
          [1.5, 7, 'a'],
          [2.5, 8, 'b'],
        ]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('names records by their place in the file after a restore', async () => {
    const strict = { id: { dtype: 'int32', max: 30 } } as const; // ids are 3 i - 10: record 15 has 32
    const open = () => fromArrow(resolve(fixtures, 'table.arrow'), { columns: strict });
    const first = open().iterator();
    for (let i = 0; i < 10; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(first.stateDict());
    await expect(second.next()).rejects.toThrow(/table\.arrow, record 15, column id: the value is 32/);
    await Promise.all([first.return(), second.return()]);
  });

  it.runIf(existsSync('/proc/self/fd'))('keeps no file open', async () => {
    const path = resolve(fixtures, 'table.arrow');
    const held = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false; // the handle that listed the folder
        }
      }).length;
    await fromArrow(path, { columns }).take(3).toArray();
    expect(() => fromArrow(path, { columns: { none: 'int32' } })).toThrow(/no column none/);
    expect(held()).toBe(0);
  });
});
