import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  calculateBatchSizes, CombinationDatasetInputReader, createCombineFn, dataConfig, decodeExample, extendDataConfig, fromItems, InputReader, matchFiles, NDArray, pickDatasetFn, TfExampleBuilder, tfRecords, writeSmallDataset, writeTfRecords, type DataConfigInput,
} from '../index.js'; // prettier-ignore
import { field } from '../../config/index.js';

/** Recorded from Model Garden by scripts/make-input-reader-fixtures.py. */
const recorded = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../tests/fixtures/data/input-reader.json'), 'utf8')) as {
  files: Record<string, number[]>;
  reads: { name: string; config: DataConfigInput; pipelines: [number, number] | null; batches: number[][][] }[];
  combinations: { ratio: number; size: number; pseudo_size: number; pipelines: [number, number]; batches: number[][][] }[];
  patterns: Record<string, string[] | 'ValueError'>;
  share: number;
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

const combine = (data_ratio: number, global_batch_size: number, pseudoSize: number, drop_remainder = true) =>
  new CombinationDatasetInputReader({
    params: Object.assign(
      combinedConfig({ input_path: expand('part-c') as string, global_batch_size, drop_remainder, is_training: false, cycle_length: 2 }),
      { pseudo_label_data: { input_path: expand('part-a,part-b'), data_ratio, global_batch_size: pseudoSize } },
    ),
    parserFn: (record) => Number(new TextDecoder().decode(record)),
    postprocessFn: (batch) => NDArray.of(batch.data.map((value) => value + 1000)),
  });
const combinedConfig = extendDataConfig({ pseudo_label_data: field.record().optional() }, { name: 'Combined' });
const mixing = (input_path: unknown, weights: unknown) => () => createCombineFn({ is_training: true, input_path, weights });

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

  it.each(recorded.combinations.map((one) => [JSON.stringify({ ...one, batches: undefined }), one] as const))(
    'gives the same batches of labeled and pseudo-labeled data: %s',
    async (_, { ratio, size, pseudo_size, pipelines, batches }) => {
      const found: number[][][] = [];
      for (let index = 0; index < pipelines[0]; index++) {
        const dataset = combine(ratio, size, pseudo_size).read({
          numInputPipelines: pipelines[0],
          inputPipelineId: index,
          numReplicasInSync: pipelines[1],
        });
        found.push((await dataset.toArray()).map((batch) => Array.from(batch.data)));
      }
      expect(found).toEqual(batches);
    },
  );

  it('finds the same files', () => {
    writeFileSync(join(folder, 'empty.txt'), '');
    for (const [pattern, files] of Object.entries(recorded.patterns)) {
      const find = (): string[] => matchFiles(expand(pattern));
      if (files === 'ValueError') expect(find, pattern).toThrow(/no file matches/);
      else expect([pattern, find().map((path) => relative(folder, path)).sort()]).toEqual([pattern, files]); // prettier-ignore
    }
  });

  it('mixes in the same shares', async () => {
    const config = { is_training: true, input_path: { x: 'x', y: 'y' }, weights: { x: 3, y: 1 } };
    const mixed = createCombineFn(config)!({ x: fromItems([0]).repeat(), y: fromItems([1]).repeat() });
    const ours = (await mixed.take(20_000).toArray()).reduce((sum, one) => sum + one, 0) / 20_000;
    for (const share of [ours, recorded.share]) expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 20_000));
  });

  it('refuses what it refuses', async () => {
    const make = (config: DataConfigInput) => () => new InputReader({ params: dataConfig(config) });
    const path = join(folder, 'part-c');
    const ours: Record<string, () => unknown> = {
      'path and name': make({ input_path: path, tfds_name: 'mnist', tfds_split: 'train' }),
      'neither path nor name': make({}),
      'name without split': make({ tfds_name: 'mnist' }),
      'named files without combine_fn': make({ input_path: { x: path } }),
      'path that is no text': () => matchFiles([path, 1]),
      'nothing to read': () => make({ tfds_split: 'train', global_batch_size: 1 })().read(),
      'pattern without matches': make({ input_path: join(folder, 'none-*') }),
      'only commas': make({ input_path: ' , ,' }),
      'batch that replicas cannot share': () =>
        open({ input_path: 'part-c', global_batch_size: 4 }).read({ numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 3 }),
      'mixing without mappings': mixing('part-a', { x: 1 }),
      'mixing with too few weights': mixing({ x: 'a', y: 'b' }, { x: 1 }),
      'mixing with another weight': mixing({ x: 'a', y: 'b' }, { x: 1, z: 1 }),
      'combining with a remainder': () => combine(1, 4, 0, false),
      'combining without labeled data': () => combine(-1, 4, 4).read(),
      'combining a negative total': () => calculateBatchSizes(-1, 1, 0),
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
