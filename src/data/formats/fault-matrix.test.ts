import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { type Dataset } from '../index.js';
import { testFolder } from './checked-in.testing.js';
import { formats, type Cell, type Format, type Options } from './fault-table.testing.js';

/** Every format × every fault: a DataError that names file, record and column, or a record that is left out and counted. */
const { directory, notices } = testFolder();

const put = (name: string, content: Uint8Array): string => {
  const path = join(directory, name);
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, content);
  return path;
};
const read = async ({ read }: Format, path: string, options: Options = {}): Promise<unknown[]> => {
  const found = await read(path, options);
  return typeof (found as Dataset<unknown>).toArray === 'function' ? (found as Dataset<unknown>).toArray() : [found];
};
/** The DataError in which something ends, whose text names the file. */
const errorOf = async (act: () => Promise<unknown>): Promise<string> => {
  const error: unknown = await act().then(
    () => 'no error',
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ name: 'DataError' });
  return (error as Error).message;
};

describe.each(Object.keys(formats))('%s', (name) => {
  const format = formats[name]!;
  const { file } = format;
  const whole = async (): Promise<string> => put(file, await format.whole());
  const cellsOf = <F extends keyof Format>(...faults: F[]) =>
    faults.flatMap((fault) => {
      const cell = format[fault] as Cell;
      if (typeof cell === 'string') return [];
      const [bytes, says, left] = cell instanceof RegExp ? [format.whole, cell] : cell;
      return [{ fault, bytes, says, left, special: !(cell instanceof RegExp) }];
    });

  it('has no fault', async () => {
    expect((await read(format, await whole())).length).toBeGreaterThan(0);
  });

  it('missing, and a directory', async () => {
    rmSync(join(directory, file), { recursive: true, force: true });
    expect(await errorOf(() => read(format, join(directory, file)))).toMatch(new RegExp(`${file} cannot be read: there is no such file`));
    mkdirSync(join(directory, file));
    expect(await errorOf(() => read(format, join(directory, file)))).toMatch(new RegExp(`${file} cannot be read: it is a directory`));
  });

  // An administrator may read every file.
  it.skipIf(process.getuid?.() === 0)('without permission to read', async () => {
    const path = await whole();
    chmodSync(path, 0);
    expect(await errorOf(() => read(format, path))).toMatch(new RegExp(`${file} cannot be read: permission denied`));
  });

  it.each(cellsOf('empty', 'truncated', 'damaged', 'compression', 'noRows', 'column'))(
    'file: $fault',
    async ({ fault, bytes, says, special }) => {
      let content = await bytes();
      if (fault === 'empty') content = new Uint8Array(0);
      if (fault === 'truncated' && !special) content = content.subarray(0, Math.floor(content.length * 0.6));
      if (fault === 'compression' && !format.compressible) content = gzipSync(content);
      const path = put(file, content);
      const options: Options = fault === 'compression' && format.compressible ? { compression: 'gzip' } : {};
      const message = await errorOf(() => read(format, path, options));
      expect(message).toMatch(says);
      expect(message).toContain(path);
    },
  );

  it.each(cellsOf('noNumber', 'ragged', 'range', 'notFinite', 'integer'))(
    'record: $fault',
    async ({ fault, bytes, says, left = [0, 2] }) => {
      const path = put(file, await bytes());
      const options: Options = fault === 'integer' ? { x: 'int32' } : {};
      const message = await errorOf(() => read(format, path, options));
      expect(message).toMatch(says);
      expect(message).toContain(path);
      if (format.skips === undefined) return;
      const skip = 3 - left.length;
      if (left.length === 0) {
        expect(await errorOf(() => read(format, path, { ...options, bad: { skip } }))).toMatch(/has no records but 3 bad ones/);
      } else {
        expect(format.skips((await read(format, path, { ...options, bad: { skip } })) as never[])).toEqual(left);
        expect(notices.at(-1)).toMatch(/1 bad record was left out, 2 read\. The first: /);
      }
      expect(await errorOf(() => read(format, path, { ...options, bad: { skip: skip - 1 } }))).toMatch(
        new RegExp(`bad record ${skip} of this pass; onBadRecord leaves out ${skip - 1} at most`),
      );
    },
  );

  it.each(cellsOf('noBatch'))('no batch is left', async ({ says }) => {
    const dataset = (await format.read(await whole(), {})) as Dataset<unknown>;
    expect(await errorOf(async () => dataset.batch(4, { dropRemainder: true }).toArray())).toMatch(says);
  });

  it.each(cellsOf('changed'))('changed between save and restore', async ({ says }) => {
    const path = await whole();
    const iterator = (format.read(path, {}) as Dataset<unknown>).iterator();
    await iterator.next();
    const state = iterator.stateDict();
    await iterator.return();
    put(file, Buffer.concat([await format.whole(), Buffer.from('\n')]));
    const again = (format.read(path, {}) as Dataset<unknown>).iterator();
    again.loadStateDict(state);
    const message = await errorOf(() => again.next());
    expect(message).toMatch(says);
    expect(message).toContain(path);
  });
});
