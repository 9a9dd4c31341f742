/** Every reader of files: stopped in mid-epoch and resumed, a run sees the same samples in the same order. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as data from '../../src/data/index.js';
import { rows, traceOf, type Case, type Trace } from './resume.js';

const at = (name: string): string => path.resolve(import.meta.dirname, '../fixtures/data', name);
let root: string;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'resume-files-'));
  for (const [folder, sound] of [['a', 'float'], ['b', 'pcm_16'], ['b', 'double']] as const) {
    mkdirSync(path.join(root, 'sounds', folder), { recursive: true });
    cpSync(at(`sound-${sound}.wav`), path.join(root, 'sounds', folder, `${sound}.wav`));
  }
  const { x, y } = rows(9);
  const examples = Array.from({ length: 9 }, (_, i) => {
    const builder = new data.TfExampleBuilder().addFloatsFeature('x', x.slice(2 * i, 2 * i + 2));
    return data.encodeExample(builder.addFloatsFeature('y', y.slice(i, i + 1)).example);
  });
  await data.writeTfRecords(path.join(root, 'examples.tfrecord'), examples);
}); // prettier-ignore
afterAll(() => rmSync(root, { recursive: true, force: true }));

const columns = { id: 'int32', weight: 'float64', name: 'string' } as const;
const specs = { x: { dtype: 'float32', shape: [2] }, y: { dtype: 'float32', shape: [1] } } as const;
const files = ['table.csv', 'table.tsv', 'table.jsonl', 'odd.csv'].map(at);

/** Small data sets of files, by the function that reads them. */
const readers: Record<string, () => data.Dataset<unknown>> = {
  fromCsv: () => data.fromCsv(at('table.csv'), { columns }),
  fromJsonLines: () => data.fromJsonLines(at('table.jsonl'), { columns }),
  fromParquet: () => data.fromParquet(at('table-zstd.parquet'), { columns }),
  fromArrow: () => data.fromArrow(at('table.arrow'), { columns }),
  fromNpy: () => data.fromNpy(at('grid.npy')),
  fromNpz: () => data.fromNpz(at('arrays-deflated.npz'), ['labels']),
  fromSafetensors: () => data.fromSafetensors(at('arrays.safetensors'), ['half', 'flags']),
  fromTextLines: () => data.fromTextLines(at('table.tsv')),
  fromDocuments: () => data.fromDocuments(files),
  fromImageFolder: () => data.fromImageFolder(at('images'), { size: [2, 2] }),
  fromImages: () => data.fromImages(['deep.png', 'grey.jpg', 'palette.png'].map((name) => at(`../images/${name}`)), { size: [2, 2] }),
  fromWav: () => data.fromWav([at('sound-float.wav'), at('sound-pcm_24.wav'), at('sound-double.wav')]),
  fromWavFolder: () => data.fromWavFolder(path.join(root, 'sounds')),
  fromTfExamples: () => data.fromTfExamples(path.join(root, 'examples.tfrecord'), specs),
  fromTfSequenceExamples: () =>
    data.tfRecords(at('sequences.tfrecord')).map((bytes) => NDArrayOf(bytes.length, bytes[bytes.length >> 1]!)),
}; // prettier-ignore

const NDArrayOf = (...values: number[]) => new data.NDArray(Float32Array.from(values), [values.length], 'float32');

/** Two features and a target that depend on all that an element holds. */
function asRow(element: unknown): [Float32Array, Float32Array] {
  let sum = 1;
  const add = (value: unknown): void => {
    if (typeof value === 'number') sum = (sum * 31 + Math.abs(value) * 7) % 1009;
    else if (typeof value === 'string') for (const c of value) add(c.codePointAt(0)!);
    else if (value instanceof data.NDArray) [...(value.data as Float32Array)].forEach((v: unknown) => add(typeof v === 'number' ? v : String(v)));
    else if (ArrayBuffer.isView(value)) [...(value as Float32Array)].forEach(add);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(add);
  };
  add(element);
  return [Float32Array.of(sum / 1009, Math.sin(sum)), Float32Array.of(sum / 2018)];
} // prettier-ignore

/** All but the spelling of the last position: text files know one place by several names. What comes after it is compared. */
function comparable({ state, ...rest }: Trace): unknown {
  const { train_iterator: _, ...items } = JSON.parse(state['items']!) as Record<string, unknown>;
  return { ...rest, state: { ...state, items } };
}

describe('a stopped run sees the same samples in the same order from', () => {
  it('every reader that the package offers', () => {
    const inMemory = ['fromArrays', 'fromGenerator', 'fromItems', 'fromIterable']; // in resume-data.test.ts
    const offered = Object.keys(data).filter((name) => /^from[A-Z]/.test(name) && !inMemory.includes(name));
    expect(Object.keys(readers).sort()).toEqual(offered.sort());
  });

  it.each(Object.keys(readers).map((name, i) => [name, 1 + (i % 5), 6 + (i % 4)] as const))(
    '%s (stopped at steps %i and %i)',
    async (name, first, second) => {
      const each: Case = {
      train: () => readers[name]!().shuffle({ bufferSize: 3, seed: 6 }).map(asRow).batch(2).repeat().prefetch(2),
      trainer: { validation_interval: 100, optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } } } },
    }; // prettier-ignore
      const whole = await traceOf(each);
      expect(new Set(Object.values(whole.samples)).size).toBeGreaterThan(1);
      expect(comparable(await traceOf(each, [{ step: first }, { step: second }]))).toEqual(comparable(whole));
    },
  );

  it('batches of sequences of about the same length', async () => {
    const sequences = (): data.Dataset<unknown> =>
      data.range(0, 14).shuffle({ bufferSize: 5, seed: 8 }).map((i) => new data.NDArray(Float32Array.from({ length: 1 + (i % 5) }, (_, k) => i + k), [1 + (i % 5)], 'float32'))
        .bucketBySequenceLength((x) => x.shape[0]!, { boundaries: [3], batchSizes: [3, 2] }).map((batch) => {
          const row = asRow(batch);
          return [new data.NDArray(row[0], [1, 2], 'float32'), new data.NDArray(row[1], [1, 1], 'float32')];
        }).repeat(); // prettier-ignore
    const each: Case = { train: sequences, trainer: { validation_interval: 100 } };
    expect(await traceOf(each, [{ step: 3 }, { step: 7 }])).toEqual(await traceOf(each));
  });
});
