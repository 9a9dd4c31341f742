import { describe, expect, it } from 'vitest';

import { dataConfig, datasetNames, fromGenerator, InputReader, NDArray, namedDataset, range, registerDataset, sonnets } from '../index.js';

registerDataset('hundred', { train: () => range(0, 100), endless: () => range(0, 3).repeat(), unknown: () => fromGenerator(() => [1, 2]) });
const elements = async (split: string): Promise<unknown[]> => namedDataset('hundred', split).toArray();
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('data sets by name', () => {
  it.each([
    ['train', 0, 100],
    ['train[:10]', 0, 10],
    ['train[90:]', 90, 100],
    ['train[20:25]', 20, 25],
    ['train[:90%]', 0, 90],
    ['train[33%:34%]', 33, 34],
    ['train[-10%:]', 90, 100],
    ['train[-5:-2]', 95, 98],
    ['train[:1000]', 0, 100],
  ])('give the elements of the split %s', async (split, from, to) => {
    expect(await elements(split)).toEqual(numbers(from, to));
  });

  it('join splits', async () => {
    expect(await elements('train[:3] + train[98:]')).toEqual([0, 1, 2, 98, 99]);
  });

  it('say what there is where a name or split is none', () => {
    expect(() => namedDataset('mnits', 'train')).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        path: 'tfds_name',
        message: expect.stringMatching(/no data set "mnits"; registered are hundred, iris, mnist, sonnets\./) as string,
      }),
    );
    expect(() => namedDataset('hundred', 'tset')).toThrow(
      expect.objectContaining({
        path: 'tfds_split',
        message: expect.stringMatching(/no split "tset"; its splits are train, endless, unknown/) as string,
      }),
    );
    expect(() => namedDataset('hundred', '')).toThrow(/no split is named; its splits are train/);
    expect(() => namedDataset('hundred', 'train[1:2:3]')).toThrow(/"train\[1:2:3\]" is no split; write a name/);
    expect(() => namedDataset('hundred', 'train[5:5]')).toThrow(/train\[5:5\] has no elements; the split has 100/);
    expect(() => namedDataset('hundred', 'endless[:5]')).toThrow(/needs data whose number of elements is known/);
    expect(() => namedDataset('hundred', 'unknown[:50%]')).toThrow(/needs data whose number of elements is known/);
    expect(datasetNames()).toEqual(['hundred', 'iris', 'mnist', 'sonnets']);
  });

  it('are registered once, with splits', () => {
    expect(() => registerDataset('iris', { train: () => range(0, 1) })).toThrow(/"iris" is registered already/);
    expect(() => registerDataset('none', {})).toThrow(/at least one split/);
    expect(() => registerDataset('odd', { 'a+b': () => range(0, 1) })).toThrow(/split "a\+b" needs a plain name/);
  });

  it('are Fisher’s flowers and Shakespeare’s sonnets as published', async () => {
    const flowers = (await namedDataset('iris', 'train', { asSupervised: true }).toArray()) as [NDArray, NDArray][];
    const means = [0, 1, 2].map((species) => {
      const own = flowers.filter(([, label]) => label.data[0] === species).map(([measures]) => measures.data);
      return [0, 1, 2, 3].map((i) => Math.round((1000 * own.reduce((sum, row) => sum + row[i]!, 0)) / own.length) / 1000);
    });
    // Fisher (1936), table 2: the means of 50 flowers each.
    expect(means).toEqual([
      [5.006, 3.428, 1.462, 0.246],
      [5.936, 2.77, 4.26, 1.326],
      [6.588, 2.974, 5.552, 2.026],
    ]);
    expect(sonnets.map((text) => text.trim().split('\n').length)).toEqual([14, 14, 14, 14, 14, 14]);
  });

  it('hold what they are called after', async () => {
    const [flower] = (await namedDataset('iris', 'train').take(1).toArray()) as { features: NDArray; label: NDArray }[];
    expect([...flower!.features.data]).toEqual([5.1, 3.5, 1.4, 0.2].map(Math.fround));
    const [pair] = (await namedDataset('iris', 'train[-1:]', { asSupervised: true }).toArray()) as [NDArray, NDArray][];
    expect(pair![1].data[0]).toBe(2);
    expect(namedDataset('mnist', 'train').length).toBe(60_000);
    expect(namedDataset('mnist', 'test[:10%]').length).toBe(1000);
    expect(await namedDataset('sonnets', 'train').toArray()).toEqual(sonnets.map((text) => ({ text })));
  });
});

describe('InputReader with a name', () => {
  const params = (input: object) =>
    dataConfig({ tfds_name: 'iris', tfds_split: 'train', global_batch_size: 30, is_training: false, ...input });
  type Batch = { features: NDArray; label: NDArray };
  const batchesOf = (input: object, count = 100): Promise<Batch[]> =>
    new InputReader<unknown, unknown, unknown, unknown, Batch>({ params: params(input) } as never).read().take(count).toArray();

  it('evaluates once in order, and trains for ever, shuffled by seed', async () => {
    const batches = await batchesOf({});
    expect(batches.map(({ features }) => features.shape)).toEqual(Array.from({ length: 5 }, () => [30, 4]));
    expect(batches.flatMap(({ label }) => [...label.data])).toEqual(numbers(0, 150).map((i) => Math.floor(i / 50)));
    const training = { is_training: true, shuffle_buffer_size: 150 };
    const [first, again, other] = [await batchesOf({ ...training, seed: 1 }, 12), await batchesOf({ ...training, seed: 1 }, 12), await batchesOf({ ...training, seed: 2 }, 12)]; // prettier-ignore
    expect(first.length).toBe(12);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('gives each input pipeline its share', async () => {
    const reader = new InputReader<unknown>({ params: params({ global_batch_size: 75 }) } as never);
    const context = { numInputPipelines: 2, inputPipelineId: 1, numReplicasInSync: 1 };
    expect(((await reader.read(context).toArray()) as Batch[]).map(({ label }) => label.rows)).toEqual([75]);
  });

  it('mixes several, and refuses names and splits that are none when it is made', () => {
    const make = (input: object, more: object = {}) => new InputReader<unknown>({ params: params(input), ...more } as never);
    expect(() => make({ tfds_name: 'irsi' })).toThrow(/no data set "irsi"; registered are/);
    expect(() => make({ tfds_split: '' })).toThrow(/no split is named; its splits are train/);
    expect(() => make({ tfds_name: { a: 'iris', b: 'irsi' } }, { combineFn: () => range(0, 1) })).toThrow(
      expect.objectContaining({ path: 'tfds_name.b' }),
    );
    expect(() => make({ tfds_name: { a: 'iris' } })).toThrow(/combineFn is needed/);
    expect(
      make(
        { tfds_name: { a: 'iris', b: 'iris' } },
        { combineFn: ({ a, b }: Record<string, ReturnType<typeof range>>) => a!.concatenate(b!) },
      ).read().length,
    ).toBe(10);
    expect(() => make({ global_batch_size: 151, drop_remainder: true }).read()).toThrow(/150 examples, less than one batch of 151/);
  });
});
