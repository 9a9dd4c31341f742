import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { checkPureFunctions, fromItems, inWorker, NDArray, range } from './index.js';
import { positioned } from './numbers.testing.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-cache-'));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = (): string => join(directory, `cache-${files++}`);

describe('Dataset.cache with a file', () => {
  it('serves later passes and later runs without calling what comes before', async () => {
    const file = newFile();
    let calls = 0;
    const make = () =>
      positioned(300)
        .map((x) => (calls++, { x: NDArray.of(new Float32Array(1000).fill(x)), name: `é${x}` }))
        .cache(file);
    const brief = (elements: readonly { x: NDArray; name: string }[]) =>
      elements.map(({ x, name }) => [name, x.dtype, x.size, x.data[999]]);
    const first = brief(await make().toArray());
    expect(calls).toBe(300);
    expect(brief(await make().repeat(2).toArray())).toEqual([...first, ...first]);
    expect(await make().shuffle({ bufferSize: 40 }).take(3).toArray()).toHaveLength(3);
    expect(calls).toBe(300);
  });

  it('removes what a killed process left half written, and nothing else', async () => {
    const file = newFile();
    const left = `${file}.tmp-99999999-0-3`;
    const young = `${file}.tmp-99999999-0-4`;
    const other = `${file}.tmp-notes`;
    for (const path of [left, young, other]) writeFileSync(path, 'half');
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    for (const path of [left, other]) utimesSync(path, longAgo, longAgo);
    expect(await range(0, 3).cache(file).toArray()).toEqual([0, 1, 2]);
    expect([left, young, other].map((path) => existsSync(path))).toEqual([false, true, true]);
    for (const path of [young, other]) rmSync(path);
  });

  it('continues exactly from a position in the first pass, with and without the finished file', async () => {
    for (const finished of [false, true]) {
      const file = newFile();
      const make = () => positioned(20).cache(file).shuffle({ bufferSize: 5, seed: 1 }).repeat(2);
      const whole = await positioned(20).cache(newFile()).shuffle({ bufferSize: 5, seed: 1 }).repeat(2).toArray();
      const first = make().iterator();
      const got: (number | undefined)[] = [];
      for (let i = 0; i < 7; i++) got.push((await first.next()).value);
      const state = first.stateDict();
      await first.return();
      expect(readdirSync(directory).filter((name) => name.includes('.tmp-'))).toEqual([]);
      if (finished) await make().toArray();
      const second = make().iterator();
      second.loadStateDict(state);
      for await (const element of second) got.push(element);
      expect(got).toEqual(whole);
    }
  });

  it('refuses files of other pipelines and damaged ones', async () => {
    const file = newFile();
    await positioned(20).cache(file).toArray();
    await expect(positioned(21).cache(file).toArray()).rejects.toThrow(/made by another pipeline[^]*numbers\(20\)[^]*numbers\(21\)/);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.indexOf('numbers') + 100) ^ 1, bytes.indexOf('numbers') + 100);
    writeFileSync(file, bytes);
    await expect(positioned(20).cache(file).toArray()).rejects.toThrow(/is damaged: the checksum/);
    truncateSync(file, bytes.length - 9);
    await expect(positioned(20).cache(file).toArray()).rejects.toThrow(/is damaged: it has no end/);
    await expect(
      range(0, 2)
        .cache(join(directory, 'absent', 'x'))
        .toArray(),
    ).rejects.toThrow(/absent.* cannot be written/);
  });
});

describe('checkPureFunctions', () => {
  it('names functions that answer differently or change their element, in this thread and in workers', async () => {
    checkPureFunctions();
    try {
      const d = fromItems([{ x: Float32Array.of(1, 2) }]);
      let count = 0;
      await expect(d.map(({ x }) => ({ x, n: [count++] })).toArray()).rejects.toThrow(
        /map is not pure: it gave two results .* \(n\[0\]: 0 and 1\)/,
      );
      await expect(d.map(({ x }) => x.fill(3)).toArray()).rejects.toThrow(/map is not pure: it changed its element \(x\[0\]: 1 and 3\)/);
      await expect(d.filter(() => count++ % 2 === 0).toArray()).rejects.toThrow(/filter is not pure/);
      await expect(d.flatMap(() => [count++]).toArray()).rejects.toThrow(/flatMap is not pure/);
      const functions = new URL('./workers/functions.testing.mjs', import.meta.url).href;
      const named = (name: string) => inWorker<(x: number) => number>(functions, name);
      await expect(range(0, 3).map(named('counts'), { workers: 0 }).toArray()).rejects.toThrow(/map is not pure/);
      expect(await range(0, 3).map(named('noisy'), { workers: 0 }).toArray()).toHaveLength(3);
      expect(
        await fromItems([Float32Array.of(1, 2)])
          .map(async (x) => x)
          .toArray(),
      ).toEqual([Float32Array.of(1, 2)]);
    } finally {
      checkPureFunctions(false);
    }
  });
});
