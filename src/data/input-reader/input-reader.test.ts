import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { dataConfig, type DataConfigInput } from '../config.js';
import {
  createCombineFn,
  fromItems,
  InputReader,
  matchFiles,
  setNoticeHandler,
  TfExampleBuilder,
  writeSmallDataset,
  parseExample,
  type NDArray,
} from '../index.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-reader-'));
afterAll(() => rmSync(directory, { recursive: true }));

const notices: string[] = [];
setNoticeHandler((message) => notices.push(message));

/** "Files" that need no disk: file `a` holds a0, a1, a2. */
const datasetFn = (paths: string | readonly string[]) => fromItems([paths].flat().flatMap((path) => [`${path}0`, `${path}1`, `${path}2`]));
const params = (input: DataConfigInput) => dataConfig({ input_path: 'a,b', global_batch_size: 2, drop_remainder: false, ...input });
const batches = async (dataset: { take(n: number): { toArray(): Promise<unknown[]> } }, n = 100): Promise<unknown[]> =>
  dataset.take(n).toArray();

describe('matchFiles', () => {
  const touch = (name: string): void => writeFileSync(join(directory, name), '');
  it('splits at commas, matches patterns in order of names and takes the rest as it is', () => {
    mkdirSync(join(directory, 'sub'));
    ['b.rec', 'a.rec', 'c.txt', '.hidden.rec', 'sub/x1', 'sub/x22'].forEach(touch);
    const at = (name: string): string => join(directory, name);
    expect(matchFiles(`${at('*.rec')} , , absent,${at('c.txt')}`)).toEqual([at('a.rec'), at('b.rec'), 'absent', at('c.txt')]);
    expect(matchFiles([at('s*/x?'), at('?.txt')])).toEqual([at('sub/x1'), at('c.txt')]);
  });

  it('refuses patterns without a match, empty paths and other types', () => {
    expect(() => matchFiles(join(directory, '*.none'))).toThrow(/no file matches/);
    expect(() => matchFiles(' , ')).toThrow(/input_path names no file/);
    expect(() => matchFiles([1])).toThrow(/a text or a list of texts/);
  });
});

describe('InputReader', () => {
  it('runs its stages in order', async () => {
    const calls: string[] = [];
    const reader = new InputReader({
      params: params({ input_path: 'a' }),
      datasetFn,
      decoderFn: (record) => (calls.push('decode'), `${record}d`),
      sampleFn: (dataset) => (calls.push('sample'), dataset.skip(1)),
      parserFn: (decoded) => (calls.push('parse'), { text: decoded, length: decoded.length }),
      filterFn: (example) => (calls.push('filter'), example.text !== 'a1d'),
      postprocessFn: (batch) => (calls.push('postprocess'), [batch.text, [...batch.length.data]] as const),
    });
    expect(await batches(reader.read())).toEqual([[['a2d'], [3]]]);
    expect(calls.join(' ')).toBe('sample decode parse filter decode parse filter postprocess');
  });

  it('reads files in turn, and one file by itself', async () => {
    const read = (input: DataConfigInput) => batches(new InputReader({ params: params(input), datasetFn }).read());
    expect(await read({})).toEqual([
      ['a0', 'b0'],
      ['a1', 'b1'],
      ['a2', 'b2'],
    ]);
    expect(await read({ block_length: 2 })).toEqual([
      ['a0', 'a1'],
      ['b0', 'b1'],
      ['a2', 'b2'],
    ]);
    expect(await read({ cycle_length: 1 })).toEqual([
      ['a0', 'a1'],
      ['a2', 'b0'],
      ['b1', 'b2'],
    ]);
    expect(await read({ input_path: 'a' })).toEqual([['a0', 'a1'], ['a2']]);
    expect(await read({ input_path: 'a', drop_remainder: true })).toEqual([['a0', 'a1']]);
  });

  it('gives every input pipeline its files, or its records where there are too few files', async () => {
    const read = (input_path: string, inputPipelineId: number) =>
      batches(
        new InputReader({ params: params({ input_path }), datasetFn }).read({
          numInputPipelines: 3,
          inputPipelineId,
          numReplicasInSync: 1,
        }),
      );
    expect(await Promise.all([0, 1, 2].map((i) => read('a,b,c', i)))).toEqual([
      [['a0', 'a1'], ['a2']],
      [['b0', 'b1'], ['b2']],
      [['c0', 'c1'], ['c2']],
    ]);
    expect(await Promise.all([0, 1, 2].map((i) => read('a', i)))).toEqual([[['a0']], [['a1']], [['a2']]]);
    expect(notices).toEqual([]);
    expect(await Promise.all([0, 1, 2].map((i) => read('a,b', i)))).toEqual([[['a0', 'b0']], [['a1', 'b1']], [['a2', 'b2']]]);
    expect(notices[0]).toMatch(/2 files for 3 input pipelines/);
    const unsharded = new InputReader({ params: params({ input_path: 'a', sharding: false }), datasetFn });
    expect(await batches(unsharded.read({ numInputPipelines: 3, inputPipelineId: 1, numReplicasInSync: 1 }))).toEqual([
      ['a0', 'a1'],
      ['a2'],
    ]);
  });

  it('repeats and shuffles for training, reproducibly, with every record once an epoch', async () => {
    for (const cache of [false, true]) {
      let parsed = 0;
      const read = (seed: number | null) =>
        new InputReader({
          params: params({ input_path: 'a', is_training: true, global_batch_size: 3, cache, seed }),
          datasetFn,
          parserFn: (record) => (parsed++, record),
        }).read();
      const first = (await batches(read(1), 20)) as string[][];
      expect(parsed).toBe(cache ? 3 : 60);
      for (const batch of first) expect(batch.slice().sort()).toEqual(['a0', 'a1', 'a2']);
      expect(new Set(first.map(String)).size).toBeGreaterThan(1);
      expect(await batches(read(1), 20)).toEqual(first);
      expect(await batches(read(2), 20)).not.toEqual(first);
      expect(await batches(read(null), 20)).toEqual(await batches(read(0), 20));
    }
  });

  it('takes a data set in place of files and lets transformAndBatchFn batch', async () => {
    const context = { numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 2 };
    const reader = new InputReader({
      params: params({ global_batch_size: 0 }),
      datasetFn,
      transformAndBatchFn: (dataset, given) => dataset.window(given!.numReplicasInSync),
    });
    expect(await batches(reader.read(context, fromItems(['x', 'y', 'z'])))).toEqual([['x', 'y'], ['z']]);
    const halved = new InputReader({ params: params({ global_batch_size: 4 }), datasetFn });
    expect(await batches(halved.read(context))).toEqual([
      ['a0', 'b0'],
      ['a1', 'b1'],
      ['a2', 'b2'],
    ]);
  });

  it('combines named sources by weight', async () => {
    const config = { is_training: true, input_path: { x: 'a', y: 'b' }, weights: { x: 3, y: 1 } };
    const reader = new InputReader({
      params: params({ input_path: config.input_path, is_training: true, global_batch_size: 1000 }),
      datasetFn,
      combineFn: createCombineFn(config),
    });
    const [batch] = (await batches(reader.read(), 1)) as string[][];
    // 750 expected, standard deviation 14.
    expect(Math.abs(batch!.filter((record) => record.startsWith('a')).length - 750)).toBeLessThan(70);
    expect(createCombineFn({ ...config, is_training: false })).toBeUndefined();
    expect(() => createCombineFn({ ...config, input_path: 'a' })).toThrow(/mappings/);
    expect(() => createCombineFn({ ...config, weights: { x: 1 } })).toThrow(/2 sources .* 1 weights/);
    expect(() => createCombineFn({ ...config, weights: { x: 1, z: 1 } })).toThrow(/no weight for the source y/);
    expect(() => createCombineFn({ ...config, weights: { x: 1, y: -2 } })).toThrow(/weights\.y is -2; a number from 0/);
    expect(() => createCombineFn({ ...config, weights: { x: 0, y: 0 } })).toThrow(/weights are all 0/);
  });

  it('reads real record files and resumes in the middle of shuffled, interleaved training data', async () => {
    const paths = await Promise.all(
      [0, 1, 2].map(async (file) => {
        const path = join(directory, `part-${file}`);
        await writeSmallDataset(
          Array.from({ length: 10 }, (_, i) => new TfExampleBuilder().addIntsFeature('id', file * 10 + i)),
          path,
        );
        return path;
      }),
    );
    const make = () =>
      new InputReader({
        params: params({ input_path: paths, is_training: true, global_batch_size: 4, shuffle_buffer_size: 8, cycle_length: 2 }),
        parserFn: (record) => parseExample(record, { id: { dtype: 'int32', shape: [] } }),
      }).read();
    const ids = ({ value }: IteratorResult<{ id: NDArray<'int32'> }>): number[] => [...value.id.data];
    const first = make().iterator();
    for (let i = 0; i < 11; i++) await first.next();
    const second = make().iterator();
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
    for (let i = 0; i < 15; i++) expect(ids(await second.next())).toEqual(ids(await first.next()));
    await first.return();
    await second.return();
  });

  it('refuses configs that name no source or too many, and sizes that do not work', () => {
    const make = (input: DataConfigInput) => new InputReader({ params: params(input), datasetFn });
    expect(() => make({ input_path: '' })).toThrow(/no source of data/);
    expect(() => make({ tfds_name: 'mnist' })).toThrow(/both set/);
    expect(() => make({ input_path: { x: 'a' } })).toThrow(/combineFn is needed/);
    expect(() => make({ input_path: '', tfds_name: 'mnits', tfds_split: 'train' })).toThrow(/no data set "mnits"; registered are/);
    expect(() => make({ global_batch_size: 3 }).read({ numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 2 })).toThrow(
      /divided among 2/,
    );
    expect(() => make({ global_batch_size: 0 }).read()).toThrow(
      expect.objectContaining({ name: 'ConfigError', path: 'global_batch_size' }),
    );
    expect(() => make({ is_training: true, shuffle_buffer_size: 0 }).read()).toThrow(/shuffle_buffer_size is 0/);
    expect(() =>
      new InputReader({ params: params({ input_path: 'a', global_batch_size: 4, drop_remainder: true }), datasetFn }).read(),
    ).toThrow(/3 examples, less than one batch of 4/);
  });
});
