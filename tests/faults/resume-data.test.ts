/** Every kind of data source and operator: stopped in mid-epoch, resumed, the same samples in the same order. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeExample,
  fromGenerator,
  fromItems,
  fromIterable,
  mixDatasets,
  NDArray,
  parseExample,
  range,
  readIdx,
  tfRecords,
  TfExampleBuilder,
  writeTfRecords,
  zipDatasets,
  type Dataset,
} from '../../src/data/index.js';
import { rowData, rows, traceOf, type Case } from './resume.js';

type Row = [Float32Array, Float32Array];
const row = (i: number): Row => [Float32Array.of(i / 8, Math.sin(i)), Float32Array.of(i / 16)];
const later = async (i: number): Promise<Row> => {
  await new Promise((resolve) => setTimeout(resolve, i % 3));
  return row(i);
};
function* endless() {
  for (let i = 0; ; i++) yield batchOf([i, i + 1, i + 2]);
}
const batchOf = (indices: number[]) => [
  new NDArray(Float32Array.from(indices.flatMap((i) => [...row(i)[0]])), [indices.length, 2], 'float32'),
  new NDArray(Float32Array.from(indices.flatMap((i) => [...row(i)[1]])), [indices.length, 1], 'float32'),
];

let root: string;
let shards: string[];
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'resume-data-'));
  shards = [0, 1, 2].map((n) => path.join(root, `part-${n}.tfrecord`));
  for (const [n, file] of shards.entries()) {
    const records = Array.from({ length: 5 }, (_, i) => {
      const [x, y] = row(10 * n + i);
      return encodeExample(new TfExampleBuilder().addFloatsFeature('x', x).addFloatsFeature('y', y).example);
    });
    await writeTfRecords(file, records);
  }
  const { x } = rows(8);
  const idx = Buffer.alloc(12 + x.byteLength);
  idx.writeUInt32BE(0x00000d02, 0); // float32, two axes
  idx.writeUInt32BE(8, 4);
  idx.writeUInt32BE(2, 8);
  x.forEach((value, i) => idx.writeFloatBE(value, 12 + 4 * i));
  writeFileSync(path.join(root, 'x.idx'), idx);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const examples = () =>
  tfRecords(shards).map((bytes) => {
    const { x, y } = parseExample(bytes, { x: { dtype: 'float32', shape: [2] }, y: { dtype: 'float32', shape: [1] } });
    return [x, y];
  });

const sources: Record<string, () => unknown> = {
  'arrays, shuffled whole': () => rowData(10).shuffle({ seed: 1 }).batch(3).repeat(),
  'arrays, repeated before the batch': () => rowData(7).shuffle({ seed: 1 }).repeat().batch(3),
  'a last short batch': () => rowData(7).batch(3).repeat(),
  'items and map': () => range(0, 9).map(row).batch(2).repeat(),
  'slow map, in parallel, prefetched': () => range(0, 9).map(later, { parallel: 3 }).batch(2).repeat().prefetch(3),
  filter: () => range(0, 20).filter((i) => i % 3 !== 1).map(row).batch(3).repeat(),
  'shuffle buffer over a stream': () => fromGenerator(function* () { for (let i = 0; i < 11; i++) yield i; }).shuffle({ bufferSize: 4, seed: 2 }).map(row).batch(3).repeat(),
  'shuffle buffer, slow and prefetched': () => range(0, 11).filter(() => true).map(later, { parallel: 2 }).shuffle({ bufferSize: 4, seed: 2 }).batch(3).repeat().prefetch(2),
  interleave: () => fromItems([0, 10, 20]).interleave((k) => range(k, k + 4), { cycleLength: 2, blockLength: 2 }).map(row).batch(3).repeat(),
  'flatMap and unbatch': () => fromItems([0, 10]).flatMap((k) => range(k, k + 4)).map(row).batch(4).unbatch().batch(3).repeat(),
  'shard, take and skip': () => range(0, 40).shard(2, 1).skip(2).take(9).map(row).batch(2).repeat(),
  cache: () => range(0, 7).map(later).cache().shuffle({ seed: 5 }).batch(2).repeat(),
  concatenate: () => rowData(4).concatenate(rowData(5, 20)).batch(2).repeat(),
  zip: () => zipDatasets([range(0, 8), range(100, 108)]).map(([a, b]) => row(a + b)).batch(3).repeat(),
  mix: () => mixDatasets([rowData(4).repeat(), rowData(4, 30).repeat()], [0.3, 0.7], { seed: 9 }).batch(3),
  window: () => range(0, 12).window(3, { shift: 2, dropRemainder: true }).map(batchOf).repeat(),
  'TFRecord files': () => examples().batch(2).repeat(),
  'TFRecord files, interleaved and shuffled': () => fromItems(shards).interleave((f) => tfRecords(f), { cycleLength: 2 }).shuffle({ bufferSize: 6, seed: 3 })
    .map((bytes) => { const { x, y } = parseExample(bytes, { x: { dtype: 'float32', shape: [2] }, y: { dtype: 'float32', shape: [1] } }); return [x, y]; }).batch(2).repeat().prefetch(2),
  'an idx file': async () => zipDatasets([(await import('../../src/data/index.js')).fromArrays(await readIdx(path.join(root, 'x.idx'))), range(0, 8).map((i) => row(i)[1])]).shuffle({ seed: 2 }).batch(3).repeat(),
  'an iterable without a position, by skipping': () => fromIterable({ [Symbol.iterator]: endless }),
  'a plain generator': () => endless(),
}; // prettier-ignore

describe('a stopped run sees the same samples in the same order from', () => {
  it.each(Object.keys(sources).map((name, i) => [name, 2 + (i % 8)] as const))('%s (stopped at step %i)', async (name, step) => {
    const each: Case = {
      train: sources[name] as () => Dataset<unknown>,
      trainer: { validation_interval: 100, optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } } } },
    }; // prettier-ignore
    const whole = await traceOf(each);
    expect(new Set(Object.values(whole.samples)).size).toBeGreaterThan(1);
    expect(await traceOf(each, [{ step }])).toEqual(whole);
  });
});
