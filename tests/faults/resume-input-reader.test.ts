/** Every route through an `InputReader`: stopped in mid-epoch, resumed, the same samples in the same order. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { field } from '../../src/config/index.js';
import {
  createCombineFn,
  dataConfig,
  extendDataConfig,
  byteTokenizer,
  fromCsv,
  fromImageFolder,
  fromJsonLines,
  fromParquet,
  fromTextLines,
  InputReader,
  inputReaderGenerator,
  inWorker,
  NDArray,
  parseExample,
  range,
  registerDataset,
  TfExampleBuilder,
  tfRecords,
  tokenBlocks,
  writeSmallDataset,
  type DataConfigInput,
  type Dataset,
  type InputReaderOptions,
} from '../../src/data/index.js';
import { useBuiltWorker } from '../../src/data/workers/built-worker.testing.js';
import { traceOf, type Case, type Trace } from './resume.js';

type Row = readonly [x: NDArray<'float32'>, y: NDArray<'float32'>];
const row = (i: number): Row => [NDArray.of(Float32Array.of(i / 8, Math.sin(i))), NDArray.of(Float32Array.of(i / 16))];
const parse = (bytes: Uint8Array): Row => {
  const { x, y } = parseExample(bytes, { x: { dtype: 'float32', shape: [2] }, y: { dtype: 'float32', shape: [1] } });
  return [x, y];
};

let root: string;
let removeWorker: () => void;
beforeAll(async () => {
  removeWorker = await useBuiltWorker();
  root = mkdtempSync(path.join(tmpdir(), 'resume-reader-'));
  for (const [name, first] of Object.entries({ a: 0, b: 20, c: 40 })) {
    const examples = Array.from({ length: 7 }, (_, i) => {
      const [x, y] = row(first + i);
      return new TfExampleBuilder().addFloatsFeature('x', x.data).addFloatsFeature('y', y.data);
    });
    await writeSmallDataset(examples, path.join(root, `${name}.tfrecord`));
    await writeSmallDataset(examples, path.join(root, `${name}.tfrecord.gz`), 'tfrecords_gzip');
    const numbers = Array.from({ length: 7 }, (_, i) => row(first + i).map(({ data }) => [...data]));
    writeFileSync(path.join(root, `${name}.csv`), ['x0,x1,y', ...numbers.map((r) => r.flat().join(','))].join('\n'));
    writeFileSync(path.join(root, `${name}.jsonl`), numbers.map(([x, y]) => JSON.stringify({ x, y })).join('\n'));
  }
  const bytes = Array.from({ length: 9 }, (_, i) => Uint8Array.of(i));
  await writeSmallDataset(bytes, path.join(root, 'bytes.tfrecord'));
});
afterAll(() => {
  removeWorker();
  rmSync(root, { recursive: true, force: true });
});
registerDataset('resumed', { train: () => range(0, 11) });

const functions = new URL('../../src/data/workers/functions.testing.mjs', import.meta.url).href;
const config = (input: DataConfigInput): DataConfigInput => ({
  ...{ is_training: true, global_batch_size: 3, shuffle_buffer_size: 5, seed: 6 },
  ...input,
});
const fixture = (name: string): string => path.resolve(import.meta.dirname, '../fixtures/data', name);
const at = (pattern: string): string => path.join(root, pattern);
/** Rows of a reader for the given config. */
const read = (input: DataConfigInput, options: Partial<InputReaderOptions<Uint8Array, Uint8Array, Row>> = {}): Dataset<unknown> =>
  new InputReader({ params: dataConfig(config(input)), parserFn: parse, ...options }).read();
const ofNumber = ({ x, y }: { x: readonly number[]; y: readonly number[] }): Row => [NDArray.of(Float32Array.from(x)), NDArray.of(Float32Array.from(y))]; // prettier-ignore
const combined = extendDataConfig(
  { pseudo_label_data: field.config(extendDataConfig({ data_ratio: 0.5, file_type: 'tfrecord_compressed' }, { name: 'Second' })) },
  { name: 'Both' },
);

const routes: Record<string, () => Dataset<unknown>> = {
  'one file': () => read({ input_path: at('a.tfrecord') }),
  'files read in turn': () => read({ input_path: at('?.tfrecord'), cycle_length: 2, block_length: 2 }),
  'files one after the other': () => read({ input_path: at('?.tfrecord'), cycle_length: 1 }),
  'examples in a cache': () => read({ input_path: at('?.tfrecord'), cache: true }),
  'gzip files': () => read({ input_path: at('?.tfrecord.gz') }, { datasetFn: pickGzip() }),
  'two sources by weight': () => {
    const params = { input_path: { few: at('a.tfrecord'), many: [at('b.tfrecord'), at('c.tfrecord')] }, weights: { few: 1, many: 2 } };
    return read({ input_path: params.input_path }, { combineFn: createCombineFn({ ...params, is_training: true, seed: 2 }) });
  },
  'labeled and pseudo-labeled data': () => {
    const params = combined({ ...config({ input_path: at('a.tfrecord,') + at('b.tfrecord') }), pseudo_label_data: { input_path: at('c.tfrecord.gz') } });
    return inputReaderGenerator(params, { parserFn: parse }).read();
  },
  'a registered data set': () => new InputReader<number, number, Row>({ params: dataConfig(config({ tfds_name: 'resumed', tfds_split: 'train[1:]' })), parserFn: row }).read(),
  'a part for each of two pipelines': () => new InputReader({ params: dataConfig(config({ input_path: at('a.tfrecord'), global_batch_size: 4 })), parserFn: parse })
    .read({ numInputPipelines: 2, inputPipelineId: 1, numReplicasInSync: 2 }),
  'sampled, filtered and padded batches': () => read({ input_path: at('?.tfrecord') }, {
    sampleFn: (dataset) => dataset.window(4, { shift: 3, dropRemainder: true }).flatMap((list) => list),
    filterFn: ([x]) => x.data[0]! !== 0.125,
    transformAndBatchFn: (dataset) => dataset.paddedBatch(3, { dropRemainder: true }) as never,
  }),
  'postprocessed batches': () => read({ input_path: at('?.tfrecord'), prefetch_buffer_size: 4 }, { postprocessFn: (batch) => batch }),
  'CSV files': () => new InputReader({ params: dataConfig(config({ input_path: at('?.csv') })), datasetFn: (paths) => fromCsv(paths, { columns: { x0: 'float32', x1: 'float32', y: 'float32' } }),
    parserFn: ({ x0, x1, y }): Row => [NDArray.of(Float32Array.of(x0.data[0]!, x1.data[0]!)), NDArray.of(y.data)] }).read(),
  'JSON lines': () => new InputReader({ params: dataConfig(config({ input_path: at('?.jsonl') })), datasetFn: (paths) => fromJsonLines(paths), parserFn: (r) => ofNumber(r as never) }).read(),
  'functions in workers': () => new InputReader({ params: dataConfig(config({ input_path: at('bytes.tfrecord') })), workers: 1,
    decoderFn: inWorker<(bytes: Uint8Array) => number>(functions, 'first'), parserFn: inWorker<(x: number) => number>(functions, 'noisy'),
    postprocessFn: ({ data }) => [new NDArray(Float32Array.from([...data].flatMap((x) => [x, -x])), [data.length, 2], 'float32'), new NDArray(Float32Array.from(data), [data.length, 1], 'float32')] as const }).read(),
  'Parquet files, several groups': () => new InputReader({ params: dataConfig(config({ input_path: fixture('table-zstd.parquet'), sharding: false })),
    datasetFn: (paths) => fromParquet(paths, { columns: { id: 'float32', weight: 'float32' }, cacheBytes: 1 }),
    parserFn: ({ id, weight }): Row => [NDArray.of(Float32Array.of(id.data[0]!, weight.data[0]!)), NDArray.of(weight.data)] }).read(),
  'a folder of images, flipped at random': () => new InputReader({ params: dataConfig(config({ input_path: fixture('images'), global_batch_size: 2 })),
    datasetFn: (folder) => fromImageFolder(String(folder), { size: [1, 2], channels: 1, flip: true }),
    parserFn: ([image, label]): Row => [NDArray.of(image.data), NDArray.of(Float32Array.of(label.data[0]!))] }).read(),
  'text, cut into rows of tokens': () => new InputReader({ params: dataConfig(config({ input_path: at('?.csv'), cycle_length: 1 })),
    datasetFn: (paths) => tokenBlocks(fromTextLines(paths), byteTokenizer(), { length: 2 }),
    parserFn: ([inputs, targets]): Row => [NDArray.of(Float32Array.from(inputs.data, (v) => v / 64)), NDArray.of(Float32Array.of(targets.data[1]! / 64))] }).read(),
  'a given data set': () => new InputReader<number, number, Row>({ params: dataConfig(config({ tfds_split: '-' })), parserFn: row }).read(null, range(0, 10).filter((i) => i !== 4).repeat()),
}; // prettier-ignore

function pickGzip(): InputReaderOptions['datasetFn'] {
  return (paths) => tfRecords(paths, { compression: 'gzip' });
}

const quick: Case['trainer'] = { validation_interval: 100, optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } } } }; // prettier-ignore

/** Without the words of the last position: one place may be said from several places before it, whichever was read ahead of. */
function comparable(trace: Trace): Trace {
  const items = JSON.parse(trace.state['items']!) as Record<string, unknown>;
  delete items['train_iterator'];
  return { ...trace, state: { ...trace.state, items: JSON.stringify(items) } };
}

describe('a stopped run sees the same samples in the same order from an InputReader of', () => {
  it.each(Object.keys(routes).map((name, i) => [name, 2 + (i % 8)] as const))('%s (stopped at step %i)', async (name, step) => {
    const each: Case = { train: routes[name] as () => Dataset<unknown>, trainer: quick };
    const whole = comparable(await traceOf(each));
    expect(Object.keys(whole.samples).length).toBe(10);
    expect(new Set(Object.values(whole.samples)).size).toBeGreaterThan(3);
    expect(comparable(await traceOf(each, [{ step }]))).toEqual(whole);
  });

  it('files, from their first record where resume_data is restart', async () => {
    const firsts: string[][] = [];
    for (const resume_data of ['continue', 'restart'] as const) {
      const each: Case = { train: () => read({ input_path: at('a.tfrecord'), shuffle_buffer_size: 1, global_batch_size: 1 }), trainer: { ...quick, resume_data } }; // prettier-ignore
      const { samples } = await traceOf(each, [{ step: 3 }]);
      firsts.push(Object.values(samples));
    }
    const [going, restarted] = firsts as [string[], string[]];
    expect(going).toEqual([0, 1, 2, 3, 4, 5, 6, 0, 1, 2].map((i) => String(i / 8)));
    expect(restarted).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5, 6].map((i) => String(i / 8)));
  });
});
