import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dataConfig, type DataConfigInput } from '../config.js';
import { createCombineFn, fromGenerator, fromItems, InputReader, type Dataset } from '../index.js';

/** Records of "files" as a stream: file `a` holds a0 to a9. */
const stream = (paths: string | readonly string[]) =>
  fromGenerator(function* () {
    for (const path of [paths].flat()) for (let i = 0; i < 10; i++) yield `${path}${i}`;
  });
const params = (input: DataConfigInput) => dataConfig({ input_path: 'a', global_batch_size: 1, is_training: true, ...input });
const pipeline = (numInputPipelines: number, inputPipelineId: number) => ({ numInputPipelines, inputPipelineId, numReplicasInSync: 1 });
/** The first records that a reader gives, batches taken apart. */
const records = async (dataset: Dataset<string[]>, count = Infinity): Promise<string[]> => (await dataset.take(count).toArray()).flat();
const read = (input: DataConfigInput, count?: number, context?: ReturnType<typeof pipeline>) =>
  records(new InputReader({ params: params(input), datasetFn: stream }).read(context), count);

describe('shuffling in an InputReader', () => {
  it('holds back shuffle_buffer_size records and gives each once a pass, passes mixed at their border', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.nat(100), async (buffer, seed) => {
        const passes = 30;
        const given = await read({ shuffle_buffer_size: buffer, seed }, 10 * passes);
        // Number n of the endless stream is record n mod 10; it is given when at most `buffer` records before it were held back.
        const counts = new Map<string, number>();
        const order = given.map((record) => {
          const pass = counts.get(record) ?? 0;
          counts.set(record, pass + 1);
          return 10 * pass + Number(record.slice(1));
        });
        order.forEach((number, place) => expect(number).toBeLessThan(place + buffer));
        if (buffer === 1) expect(order).toEqual(order.map((_, i) => i));
      }),
      { numRuns: 20 },
    );
    const given = await read({ shuffle_buffer_size: 8 }, 300);
    const passes = Array.from({ length: 30 }, (_, pass) => new Set(given.slice(10 * pass, 10 * pass + 10)).size);
    expect(passes.some((different) => different < 10)).toBe(true);
  });

  it('draws every place of the buffer alike', async () => {
    const firsts = new Map<string, number>();
    for (let seed = 0; seed < 800; seed++) {
      const [first] = await read({ shuffle_buffer_size: 4, seed }, 1);
      firsts.set(first!, (firsts.get(first!) ?? 0) + 1);
    }
    expect([...firsts.keys()].sort()).toEqual(['a0', 'a1', 'a2', 'a3']);
    for (const count of firsts.values()) expect(Math.abs(count - 200)).toBeLessThan(5 * Math.sqrt(150)); // binomial, variance 800 · ¼ · ¾
  });

  it('gives the same order for the same seed, another one for another, null being 0, deterministic or not', async () => {
    for (const input of [{ shuffle_buffer_size: 6 }, { input_path: 'a,b,c', shuffle_buffer_size: 1, cycle_length: 1 }]) {
      const one = await read({ ...input, seed: 1 }, 60);
      expect(await read({ ...input, seed: 1, deterministic: false, prefetch_buffer_size: 9 }, 60)).toEqual(one);
      expect(await read({ ...input, seed: 2 }, 60)).not.toEqual(one);
      expect(await read({ ...input, seed: null }, 60)).toEqual(await read({ ...input, seed: 0 }, 60));
    }
  });

  it('happens in training only, and null is no training', async () => {
    for (const is_training of [false, null]) expect(await read({ is_training, seed: 3 })).toEqual((await stream('a').toArray()).flat());
  });
});

describe('files in an InputReader', () => {
  const files = 'a,b,c,d,e,f';
  it('come in a new order in every pass, and pipelines never share one within a pass', async () => {
    const passes = 8;
    const orders = await Promise.all(
      [0, 1].map(async (i) => {
        const given = await read(
          { input_path: files, cycle_length: 1, block_length: 10, shuffle_buffer_size: 1 },
          30 * passes,
          pipeline(2, i),
        );
        return Array.from({ length: passes }, (_, pass) => given.slice(30 * pass, 30 * pass + 30).filter((_, n) => n % 10 === 0).map((r) => r[0]).join('')); // prettier-ignore
      }),
    );
    for (let pass = 0; pass < passes; pass++)
      expect([...orders[0]![pass]!, ...orders[1]![pass]!].sort().join(''), `pass ${pass}`).toBe('abcdef');
    expect(new Set(orders[0]).size).toBeGreaterThan(2);
  });

  it('keep their order where examples are cached, whose shuffling mixes passes', async () => {
    const orders: string[] = [];
    const datasetFn = (paths: string | readonly string[]) => (orders.push([paths].flat().join('')), stream(paths));
    const input = { input_path: files, cycle_length: 1, cache: true, shuffle_buffer_size: 20, seed: 5 };
    const given = await records(new InputReader({ params: params(input), datasetFn }).read(), 180);
    expect([...orders].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']); // opened once, in some order
    expect(orders).not.toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(new Set(given.slice(0, 60)).size).toBeLessThan(60); // the second pass begins before the first has ended
    expect(new Set(given).size).toBe(60);
  });

  it('are all read where sharding is off, in one order for all pipelines', async () => {
    const input = { input_path: files, sharding: false, cycle_length: 2, shuffle_buffer_size: 5, seed: 2 };
    expect(await read(input, 120, pipeline(2, 1))).toEqual(await read(input, 120, pipeline(2, 0)));
  });

  it('count every example once in an evaluation, whatever the number of pipelines', async () => {
    for (const [pipelines, input_path] of [
      [1, 'a,b,c'],
      [2, 'a,b,c'],
      [3, 'a,b'],
      [4, 'a'],
    ] as const) {
      // prettier-ignore
      const config = { input_path, is_training: false, global_batch_size: 4, drop_remainder: false };
      const parts = await Promise.all(Array.from({ length: pipelines }, (_, i) => read(config, Infinity, pipeline(pipelines, i))));
      expect(parts.flat().sort(), `${pipelines} of ${input_path}`).toEqual(await stream(input_path.split(',')).toArray());
    }
  });

  it('are found by a getFiles of one’s own, by name too', async () => {
    class Stored<R> extends InputReader<R> {
      protected override getFiles(inputPath: unknown, path: string): string[] {
        return [`${path}:${String(inputPath)}:`];
      }
    }
    const one = new Stored({ params: params({ input_path: 'store://*', is_training: false }), datasetFn: stream });
    expect((await records(one.read()))[0]).toBe('input_path:store://*:0');
    const two = new Stored({
      params: params({ input_path: { x: 's3://x' }, is_training: false }),
      datasetFn: stream,
      combineFn: (sources) => sources['x']!,
    });
    expect((await records(two.read()))[0]).toBe('input_path.x:s3://x:0');
  });
});

describe('the cache of an InputReader', () => {
  it.each([true, false])(
    'is filled by the first pass; later ones call neither decoder, parser nor filter (training %s)',
    async (is_training) => {
      const calls = { decode: 0, parse: 0, filter: 0, postprocess: 0 };
      const reader = new InputReader({
        params: params({ cache: true, is_training }),
        datasetFn: stream,
        decoderFn: (record) => (calls.decode++, record),
        parserFn: (record) => (calls.parse++, record),
        filterFn: (record) => (calls.filter++, record !== 'a3'),
        postprocessFn: (batch) => (calls.postprocess++, batch),
      });
      const dataset = reader.read();
      if (is_training) await records(dataset, 36);
      else for (let pass = 0; pass < 4; pass++) expect((await records(dataset)).length).toBe(9);
      expect(calls).toMatchObject({ decode: 10, parse: 10, filter: 10 });
      expect(calls.postprocess).toBeGreaterThanOrEqual(36);
    },
  );
});

describe('sources by name', () => {
  it('are shuffled and decoded each, then combined, sampled and parsed', async () => {
    const seen: string[] = [];
    const reader = new InputReader({
      params: params({ input_path: { x: 'a', y: ['b', 'c'] }, is_training: false, cycle_length: 2 }),
      datasetFn: stream,
      decoderFn: (record) => (seen.push('decode'), { record }),
      combineFn: ({ x, y }) => (seen.push('combine'), x!.take(2).concatenate(y!.take(3))),
      sampleFn: (dataset) => (seen.push('sample'), dataset.filter(({ record }) => record !== 'a0')),
      parserFn: ({ record }) => (seen.push('parse'), record),
    });
    expect(await records(reader.read())).toEqual(['a1', 'b0', 'c0', 'b1']);
    expect(seen.slice(0, 5)).toEqual(['combine', 'sample', 'decode', 'decode', 'parse']);
  });

  it('mixed by weight end as soon as one of them is empty', async () => {
    const mix = createCombineFn({ is_training: true, input_path: { x: '', y: '' }, weights: { y: 1, x: 9 }, seed: 4 })!;
    const given = await mix({
      x: fromItems(Array.from({ length: 30 }, (_, i) => i)),
      y: fromItems(Array.from({ length: 300 }, () => -1)),
    }).toArray();
    expect(given.filter((one) => one >= 0)).toEqual(Array.from({ length: 30 }, (_, i) => i)); // all of x, in order
    expect(given.length).toBeLessThan(60);
  });
});

describe('an InputReader', () => {
  it('reads a given data set in place of files: shuffled and batched, neither repeated nor sharded', async () => {
    const reader = new InputReader<string>({
      params: params({ input_path: '', tfds_split: 'train', global_batch_size: 2, shuffle_buffer_size: 3 }),
    });
    const batches = await reader.read(pipeline(2, 1), fromItems(['p', 'q', 'r', 's'])).toArray();
    expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
    expect(batches.flat().sort()).toEqual(['p', 'q', 'r', 's']);
    expect(() => reader.read()).toThrow(expect.objectContaining({ name: 'ConfigError', path: 'input_path' }));
  });

  it('takes several data sets by name in place of files, where combineFn makes one of them', async () => {
    const options = {
      params: params({ input_path: '', tfds_split: 'train', is_training: false }),
      decoderFn: (text: string) => `${text}!`,
    };
    const given = { x: fromItems(['p', 'q']), y: fromItems(['r']) };
    const reader = new InputReader({ ...options, combineFn: ({ x, y }) => x!.concatenate(y!) });
    expect(await records(reader.read(null, given))).toEqual(['p!', 'q!', 'r!']);
    expect(() => new InputReader(options).read(null, given)).toThrow(/a combineFn is needed/);
  });

  it('takes a changed copy of a config, and fills up what is missing', async () => {
    const copy = { ...params({ is_training: false }), global_batch_size: 4 };
    expect((await new InputReader({ params: copy, datasetFn: stream }).read().toArray()).map((batch) => batch.length)).toEqual([4, 4]);
    const some = { input_path: 'a', global_batch_size: 5, weights: null } as never;
    expect((await new InputReader({ params: some, datasetFn: stream }).read().toArray()).length).toBe(2);
  });

  it('refuses a data service, which would change what a pipeline reads', () => {
    const make = (input: DataConfigInput) => () => new InputReader({ params: params(input) });
    expect(make({ enable_tf_data_service: true })).toThrow(/enable_tf_data_service=true is not supported: there is no data service here/);
    expect(make({ tf_data_service_address: 'grpc://host:1' })).toThrow(/tf_data_service_address/);
    expect(make({ enable_shared_tf_data_service_between_parallel_trainers: true })).toThrow(/is not supported/);
    expect(make({ tfds_skip_decoding_feature: 'image' })).toThrow(/tfds_skip_decoding_feature=image is not supported/);
    expect(make({ ram_budget: 4, autotune_algorithm: 'HILL_CLIMB', deterministic: true })).not.toThrow();
  });

  it('refuses what is no set of options', () => {
    const make = (options: unknown) => () => new InputReader(options as never);
    expect(make(params({}))).toThrow(/new InputReader\(\{ params: dataConfig/);
    expect(make({ params: 'a' })).toThrow(/made of options with a data config/);
    expect(make({ params: { ...params({}), global_batch_size: 'many' } })).toThrow(expect.objectContaining({ name: 'ConfigError' }));
    expect(make({ params: params({}), parser_fn: () => 1 })).toThrow(/InputReader has no option parser_fn\. Did you mean/);
    expect(make({ params: params({}), parserFn: 'parse' })).toThrow(/parserFn of an InputReader is "parse"; a function was expected/);
  });
});
