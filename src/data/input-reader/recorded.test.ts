import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  calculateBatchSizes, dataConfig, decodeExample, InputReader, pickDatasetFn, TfExampleBuilder, tfRecords, writeSmallDataset, writeTfRecords, type DataConfigInput,
} from '../index.js'; // prettier-ignore

/** Recorded from Model Garden by scripts/make-input-reader-fixtures.py. */
const recorded = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../tests/fixtures/data/input-reader.json'), 'utf8')) as {
  files: Record<string, number[]>;
  reads: { name: string; config: DataConfigInput; pipelines: [number, number] | null; batches: number[][][] }[];
  refused: Record<string, string>;
  batch_sizes: { arguments: [number, number, number]; sizes: [number, number] | string }[];
  builder: { method: string; arguments: [string, never]; bytes: string }[];
  written: Record<string, { gzip: boolean; records: number }>;
};

const folder = mkdtempSync(join(tmpdir(), 'orbit-recorded-'));
const expand = (path: unknown): unknown =>
  Array.isArray(path)
    ? path.map(expand)
    : String(path)
        .split(',')
        .map((part) => (part.trim() === '' ? part : join(folder, part.trim())))
        .join(',');

beforeAll(async () => {
  for (const [name, numbers] of Object.entries(recorded.files))
    await writeTfRecords(join(folder, `part-${name}`), numbers.map((number) => new TextEncoder().encode(String(number)))); // prettier-ignore
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (config: DataConfigInput) =>
  new InputReader({
    params: dataConfig({ ...config, input_path: expand(config.input_path) as string }),
    parserFn: (record) => Number(new TextDecoder().decode(record)),
  });

describe('the input reader of Model Garden', () => {
  it.each(recorded.reads.map((read) => [read.name, read] as const))(
    'gives the same batches: %s',
    async (_, { config, pipelines, batches }) => {
      const contexts = Array.from({ length: pipelines?.[0] ?? 1 }, (_, index) =>
        pipelines === null ? undefined : { numInputPipelines: pipelines[0], inputPipelineId: index, numReplicasInSync: pipelines[1] },
      );
      const found: number[][][] = [];
      for (const context of contexts) found.push((await open(config).read(context).toArray()).map((batch) => Array.from(batch.data)));
      expect(found).toEqual(batches);
    },
  );

  it('refuses what it refuses', async () => {
    const make = (config: DataConfigInput) => () => new InputReader({ params: dataConfig(config) });
    const path = join(folder, 'part-c');
    const ours: Record<string, () => unknown> = {
      'path and name': make({ input_path: path, tfds_name: 'mnist', tfds_split: 'train' }),
      'neither path nor name': make({}),
      'pattern without matches': make({ input_path: join(folder, 'none-*') }),
      'only commas': make({ input_path: ' , ,' }),
      'batch that replicas cannot share': () =>
        open({ input_path: 'part-c', global_batch_size: 4 }).read({ numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 3 }),
      'file type': () => pickDatasetFn('recordio'),
      'type to write': () => writeSmallDataset([], join(folder, 'x'), 'csv'),
    };
    expect(Object.keys(ours)).toEqual(Object.keys(recorded.refused));
    for (const [name, call] of Object.entries(ours)) {
      expect(recorded.refused[name]).toBe('ValueError');
      await expect((async () => call())(), name).rejects.toMatchObject({
        name: expect.stringMatching(/^(Config|Usage|Data)Error$/) as string,
      });
    }
  });

  it('divides batches between labeled and pseudo-labeled examples alike', () => {
    for (const { arguments: args, sizes } of recorded.batch_sizes) {
      if (typeof sizes === 'string') expect(() => calculateBatchSizes(...args), args.join()).toThrow();
      else expect([args, calculateBatchSizes(...args)]).toEqual([args, { labeled: sizes[0], pseudo: sizes[1] }]);
    }
  });
});

describe('the example builder of Model Garden', () => {
  it('makes messages of the same contents, step by step', () => {
    const builder = new TfExampleBuilder();
    const methods: Record<string, (key: string, value: never) => unknown> = {
      add_bytes_feature: (key, value) => builder.addBytesFeature(key, value),
      add_ints_feature: (key, value) => builder.addIntsFeature(key, value),
      add_floats_feature: (key, value) => builder.addFloatsFeature(key, value),
    };
    for (const { method, arguments: args, bytes } of recorded.builder) {
      methods[method]!(...args);
      const theirs = decodeExample(new Uint8Array(Buffer.from(bytes, 'hex')));
      const sorted = (example: ReturnType<typeof decodeExample>) => [...example].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(sorted(decodeExample(builder.serializedExample))).toEqual(sorted(theirs));
    }
  });

  it('writes the same kinds of files', async () => {
    for (const [kind, { gzip, records }] of Object.entries(recorded.written)) {
      const path = join(folder, 'written');
      await writeSmallDataset([new TfExampleBuilder().addIntsFeature('i', 1)], path, kind);
      const content = readFileSync(path);
      expect([kind, content[0] === 0x1f && content[1] === 0x8b]).toEqual([kind, gzip]);
      expect((await tfRecords(path, { compression: gzip ? 'gzip' : 'none' }).toArray()).length).toBe(records);
    }
  });
});
