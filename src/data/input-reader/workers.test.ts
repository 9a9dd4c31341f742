import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dataConfig, InputReader, inWorker, range, writeTfRecords, type NDArray } from '../index.js';
import { useBuiltWorker } from '../workers/built-worker.testing.js';

const functions = new URL('../workers/functions.testing.mjs', import.meta.url).href;
const directory = mkdtempSync(join(tmpdir(), 'orbit-reader-workers-'));
const FILES = 4;
const RECORDS = 24;
let removeWorker: () => void;
beforeAll(async () => {
  removeWorker = await useBuiltWorker();
  for (let file = 0; file < FILES; file++) {
    const records = Array.from({ length: RECORDS / FILES }, (_, i) => Uint8Array.of(10 * file + i));
    await writeTfRecords(join(directory, `part-${file}`), records);
  }
});
afterAll(() => {
  removeWorker();
  rmSync(directory, { recursive: true });
});

const params = (input: object) =>
  dataConfig({
    input_path: join(directory, 'part-*'),
    is_training: true,
    shuffle_buffer_size: 5,
    cycle_length: 2,
    global_batch_size: 3,
    seed: 4,
    ...input,
  });
const first = inWorker<(bytes: Uint8Array) => number>(functions, 'first');
const noisy = inWorker<(x: number) => number>(functions, 'noisy');

describe('InputReader with workers', () => {
  it('gives the same batches for any number of workers and prefetch depth', async () => {
    const read = async (workers: number, prefetch_buffer_size: number | null, cache: boolean): Promise<number[][]> => {
      const reader = new InputReader({ params: params({ prefetch_buffer_size, cache }), decoderFn: first, parserFn: noisy, workers });
      return (await reader.read().take(20).toArray()).map(({ data }) => [...data]);
    };
    const expected = new Map(await Promise.all([true, false].map(async (cache) => [cache, await read(0, null, cache)] as const)));
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.constantFrom(null, 1, 5), fc.boolean(), async (workers, prefetch, cache) => {
        expect(await read(workers, prefetch, cache)).toEqual(expected.get(cache));
      }),
      { numRuns: 8 },
    );
  });

  it('gives ranks together every record once a pass, whatever their number', async () => {
    for (const numInputPipelines of [1, 2, 4]) {
      const seen: number[] = [];
      for (let inputPipelineId = 0; inputPipelineId < numInputPipelines; inputPipelineId++) {
        const reader = new InputReader({ params: params({ is_training: false, drop_remainder: false }), decoderFn: first, workers: 1 });
        const batches = await reader.read({ numInputPipelines, inputPipelineId, numReplicasInSync: 1 }).toArray();
        seen.push(...batches.flatMap(({ data }) => [...data]));
      }
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, i) => 10 * Math.floor(i / 6) + (i % 6)));
    }
    const order = async (shards: number): Promise<number[]> => {
      const parts = await Promise.all(
        Array.from({ length: shards }, (_, i) =>
          range(0, 24).shuffle({ seed: 2 }).map(noisy, { workers: 0 }).shard(shards, i).map(Math.floor).toArray(),
        ),
      );
      return Array.from({ length: 24 }, (_, i) => parts[i % shards]![Math.floor(i / shards)]!);
    };
    expect(await order(3)).toEqual(await order(1));
  });

  it('filters in workers', async () => {
    const even = inWorker<(x: number) => boolean>(functions, 'even');
    const read = async (workers: number): Promise<number[][]> => {
      const reader = new InputReader({ params: params({}), decoderFn: first, filterFn: even, workers, timeoutSeconds: 60 });
      return (await reader.read().take(9).toArray()).map(({ data }) => [...data]);
    };
    const expected = await read(0);
    expect(expected.flat().every((x) => x % 2 === 0)).toBe(true);
    const closure = new InputReader({ params: params({}), decoderFn: first, filterFn: (x: number) => x % 2 === 0, workers: 1 });
    expect((await closure.read().take(9).toArray()).map(({ data }) => [...data])).toEqual(expected);
    expect(await read(2)).toEqual(expected);
  });

  it('resumes in the middle, with another number of workers', async () => {
    const make = (workers: number) => new InputReader({ params: params({}), decoderFn: first, parserFn: noisy, workers }).read().iterator();
    const values = (result: IteratorResult<NDArray<'float32'>>): number[] => [...(result.value as NDArray<'float32'>).data];
    const [one, two] = [make(1), make(2)];
    for (let i = 0; i < 11; i++) await one.next();
    two.loadStateDict(JSON.parse(JSON.stringify(one.stateDict())) as Record<string, unknown>);
    for (let i = 0; i < 12; i++) expect(values(await two.next())).toEqual(values(await one.next()));
    await Promise.all([one.return(), two.return()]);
  });

  it('refuses workers that have only closures to run, and shows the line to write', () => {
    const closure = (bytes: Uint8Array): number => bytes[0]!;
    expect(() => new InputReader({ params: params({}), parserFn: closure, workers: 2 })).toThrow(
      /parserFn: inWorker\(import\.meta\.resolve\('\.\/augment\.js'\), 'parse'\)/,
    );
    expect(() => new InputReader({ params: params({}), decoderFn: closure, parserFn: noisy, workers: 2 })).not.toThrow();
  });
});
