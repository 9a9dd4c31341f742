import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { fromCsv, inWorker, NDArray, range, tfRecords, writeTfRecords, type WorkerOptions } from '../index.js';
import { named, temporaryFolder, withBuiltWorker } from './workers.testing.js';

withBuiltWorker();
const directory = temporaryFolder();

describe('errors of workers', () => {
  const run = (name: string, options: WorkerOptions = { workers: 1 }) => range(0, 50).map(named(name), options).toArray();

  it('name function and element and have the stack of the worker as cause', async () => {
    for (const workers of [0, 2]) {
      const error = (await run('thrower', { workers }).catch((e: unknown) => e)) as Error;
      expect(error).toMatchObject({
        name: 'DataError',
        message: expect.stringMatching(/thrower of .*functions.testing.mjs.* failed on the element at 21: no 21 please/) as string,
      });
      expect(error.cause).toMatchObject({ name: 'RangeError', stack: expect.stringMatching(/functions\.testing\.mjs/) as string });
    }
  });

  it('name file and record', async () => {
    const path = join(directory, 'records');
    await writeTfRecords(
      path,
      Array.from({ length: 9 }, (_, i) => Uint8Array.of(i, i)),
    );
    const d = tfRecords([path]).shuffle({ bufferSize: 4 }).map(named<Uint8Array, number>('throwOnRecord'), { workers: 1 });
    await expect(d.toArray()).rejects.toThrow(`failed on the record at byte ${5 * 18} of ${path}: five`);
    const table = join(directory, 'table.csv');
    writeFileSync(table, 'x\n1\n5\n');
    const rows = fromCsv(table)
      .shuffle({ bufferSize: 2 })
      .map((row) => {
        if ((row as { x: NDArray }).x.data[0] === 5) throw new Error('five');
      });
    await expect(rows.toArray()).rejects.toThrow(/map failed on record 2 of the block at .* of .*table\.csv: five/);
    const here = tfRecords([path]).map((bytes) => {
      if (bytes[0] === 5) throw new Error('five');
    });
    await expect(here.toArray()).rejects.toThrow(`map failed on the record at byte ${5 * 18} of ${path}: five`);
  });

  it('are given for a worker that exits, crashes or runs out of memory, with the element: no hang', async () => {
    const at = (name: string) => `${name} of .*, in a worker\\) failed on the element at 21: A worker thread for ${name} of .*`;
    await expect(run('exits')).rejects.toThrow(new RegExp(`${at('exits')} was ended with status 3, perhaps by process.exit`));
    await expect(run('crashes')).rejects.toThrow(new RegExp(`${at('crashes')} failed outside the call of its function: later`));
    await expect(run('hoards', { workers: 1, heapMegabytes: 30 })).rejects.toThrow(new RegExp(`${at('hoards')} ran out of memory`));
    const walk = range(0, 50).map(named('exits'), { workers: 2 }).iterator();
    const before: number[] = [];
    for (let i = 0; i < 2; i++) {
      // Threads of its own for each try: what the other threads had to do is not lost.
      const failure = await (async () => {
        for (;;) before.push((await walk.next()).value as number);
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({ message: expect.stringMatching(/failed on the element at 21/) as string });
      expect(walk.taken).toBe(16); // elements go to workers in groups of 16
    }
    expect(before).toEqual(await range(0, 16).toArray());
    await walk.return();
  }, 20_000);

  it('are given for a call that does not return: an endless loop is no hang', async () => {
    const options = { workers: 2, timeoutSeconds: 0.8 };
    for (const name of ['spins', 'never']) {
      await expect(run(name, options)).rejects.toThrow(
        new RegExp(
          `${name} of .*, in a worker\\) failed on the element at 21: it has not returned within 0.8 seconds; .* raise timeoutSeconds`,
        ),
      );
    }
    const path = join(directory, 'spinning');
    await writeTfRecords(
      path,
      Array.from({ length: 9 }, (_, i) => Uint8Array.of(i, i)),
    );
    await expect(tfRecords([path]).map(named<Uint8Array, number>('spinsOnRecord'), options).batch(3).toArray()).rejects.toThrow(
      `failed on the record at byte ${5 * 18} of ${path}: it has not returned`,
    );
    expect(() => range(0, 2).map(named('double'), { timeoutSeconds: 0 })).toThrow(/timeoutSeconds is 0, expected more than 0/);
    expect(await range(0, 60).map(named('slowly'), { workers: 1, timeoutSeconds: 0.8 }).toArray()).toHaveLength(60);
  }, 20_000);

  it('are given for modules, functions and results that do not work', async () => {
    for (const workers of [0, 1]) {
      await expect(run('nothing', { workers })).rejects.toThrow(/exports no function nothing; it exports .*double/);
      await expect(range(0, 2).map(inWorker('file:///absent.mjs', 'f'), { workers }).toArray()).rejects.toThrow(
        /absent.mjs cannot be imported/,
      );
      await expect(run('unsendable', { workers })).rejects.toThrow(
        /unsendable of .* failed on the element at 3: Part deep\[0\] of the element is a function, which cannot be passed/,
      );
      await expect(range(1, 9).map(named('ragged'), { workers }).batch(4).toArray()).rejects.toThrow(
        /float32\[1\] in the first element of the batch but float32\[2\] in element 1/,
      );
    }
  });

  it('show how to name a function where a closure is given', () => {
    const closure = (x: number): number => x;
    expect(() => range(0, 2).map(closure, { workers: 2 as 0 })).toThrow(
      /inWorker\(import\.meta\.resolve\('\.\/augment\.js'\), 'parse'\), \{ workers: 2 \}/,
    );
    expect(() => inWorker('./augment.js', 'parse')).toThrow(/import\.meta\.resolve/);
    expect(() => range(0, 2).map(named('double'), { workers: -1 })).toThrow(/workers is -1/);
  });
});
