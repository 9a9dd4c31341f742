import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { fromArrow } from '../../index.js';
import { BadRecords } from '../../bad-records.js';
import { ArrowReader } from './index.js';

const fixtures = resolve(import.meta.dirname, '../../../../tests/fixtures/data');
const columns = { id: 'int32' } as const;

describe('Arrow', () => {
  it('reads any record batch of a file by itself, in any order, and those of a stream in order', async () => {
    const file = new ArrowReader(resolve(fixtures, 'table.arrow'), columns, new BadRecords());
    const blocks = [await file.next(), await file.next(), await file.next()];
    expect(await file.next()).toBeUndefined();
    expect(file.seekable).toBe(true);
    for (const k of [2, 0, 1]) {
      await file.seek(blocks[k]!.position);
      expect((await file.next())!.block.slice(0, 5)).toEqual(blocks[k]!.block.slice(0, 5));
    }
    await file.close();
    const stream = new ArrowReader(resolve(fixtures, 'table.arrows'), columns, new BadRecords());
    await stream.seek(blocks[1]!.position);
    expect(stream.seekable).toBe(false);
    expect((await stream.next())!.block.slice(0, 5)).toEqual(blocks[1]!.block.slice(0, 5));
    await stream.close();
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

  it.runIf(existsSync('/proc/self/fd'))('closes its file at the end and when left early', async () => {
    const path = resolve(fixtures, 'table.arrow');
    const held = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false; // the handle that listed the folder
        }
      }).length;
    await fromArrow(path, { columns }).toArray();
    await fromArrow(path, { columns }).take(3).toArray();
    await expect(fromArrow(path, { columns: { none: 'int32' } }).toArray()).rejects.toThrow(/no column none/);
    expect(held()).toBe(0);
  });
});
