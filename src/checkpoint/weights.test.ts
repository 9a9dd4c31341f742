import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterAll, describe, expect, it } from 'vitest';
import { CheckpointError, UsageError } from '../errors.js';
import { Checkpoint } from './checkpoint.js';
import { castTensor, transposeTensor } from './layout.js';
import { writeSafetensors } from './write-safetensors.js';
import type { StateTensor } from './state.js';
import { loadWeights } from './weights.js';

const root = mkdtempSync(path.join(tmpdir(), 'weights-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const model = () => {
  const m = tf.sequential();
  m.add(tf.layers.dense({ units: 3, inputShape: [2], name: 'body' }));
  m.add(tf.layers.dense({ units: 1, name: 'head' }));
  return m;
};
const values = (m: tf.LayersModel) => m.getWeights().map((w) => [...w.dataSync()]);
const matrix = (shape: number[], ...data: number[]): StateTensor => ({ dtype: 'float32', shape, data: Float32Array.from(data) });

describe('loadWeights', () => {
  it('loads a part of a checkpoint, by pattern and under other names, and tells the rest', async () => {
    const other = tf.sequential();
    other.add(tf.layers.dense({ units: 3, inputShape: [2], name: 'backbone', kernelInitializer: 'ones' }));
    other.add(tf.layers.dense({ units: 9, name: 'classes' }));
    const saved = await new Checkpoint({ model: other }).write(path.join(root, 'ckpt-1'));
    const mine = model();
    const [, , headKernel, headBias] = values(mine);
    const result = await loadWeights(mine, saved, { include: /^body\//, rename: [['body/', 'backbone/']] });
    expect(values(mine)).toEqual([[1, 1, 1, 1, 1, 1], [0, 0, 0], headKernel, headBias]);
    expect(result).toEqual({
      loaded: ['body/kernel', 'body/bias'],
      kept: ['head/kernel', 'head/bias'],
      unused: expect.arrayContaining(['classes/kernel', 'classes/bias']) as string[],
    });
  });

  it('reads a plain file in another layout and width', async () => {
    const file = path.join(root, 'other.safetensors');
    const tensors = new Map<string, StateTensor>([
      ['body.weight', matrix([3, 2], 1, 2, 3, 4, 5, 6)],
      ['body.bias', { dtype: 'bfloat16', shape: [3], data: Uint16Array.of(0x3f80, 0xc000, 0x0000) }], // 1, -2, 0
    ]);
    await writeSafetensors(file, tensors);
    const mine = model();
    await loadWeights(mine, file, {
      exclude: /^head/,
      rename: (p) => p.replace('/kernel', '.weight').replace('/bias', '.bias'),
      convert: (t, p) => (p.endsWith('kernel') ? transposeTensor(t) : t),
      cast: true,
    });
    expect(values(mine).slice(0, 2)).toEqual([[1, 3, 5, 2, 4, 6], [1, -2, 0]]); // prettier-ignore
  });

  it('lists every variable that does not fit, and changes nothing', async () => {
    const file = path.join(root, 'unfit.safetensors');
    await writeSafetensors(file, new Map([['body/kernel', matrix([3, 2], 1, 2, 3, 4, 5, 6)], ['body/bias', { dtype: 'int32', shape: [3], data: Int32Array.of(1, 2, 3) }]])); // prettier-ignore
    const mine = model();
    const before = values(mine);
    const failure = await loadWeights(mine, file).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(CheckpointError);
    const { message } = failure as Error;
    for (const line of [
      'body/kernel: expected float32[2,3], found float32[3,2] (tensor "body/kernel")',
      'body/bias: expected float32[3], found int32[3]',
      'head/kernel: not in the file',
      'head/bias: not in the file',
    ])
      expect(message).toContain(line);
    expect(values(mine)).toEqual(before);
    await expect(loadWeights(mine, path.join(root, 'nowhere'))).rejects.toThrow(/There is no ".*nowhere"/);
    await expect(loadWeights(mine, file, { include: /nothing/ })).rejects.toThrow(UsageError);
  });

  it('keeps what the source lacks, if asked to', async () => {
    const file = path.join(root, 'part.safetensors');
    await writeSafetensors(file, new Map([['head/bias', matrix([1], 5)]]));
    const mine = model();
    expect((await loadWeights(mine, file, { missing: 'keep' })).loaded).toEqual(['head/bias']);
    expect(values(mine)[3]).toEqual([5]);
  });
});

describe('layouts', () => {
  it('transpose as tfjs does, of any rank', () => {
    const shape = [2, 3, 4, 5];
    const data = Float32Array.from({ length: 120 }, (_, i) => i);
    for (const order of [[2, 3, 1, 0], [3, 2, 0, 1], [0, 1, 2, 3]]) {
      const expected = tf.transpose(tf.tensor(data, shape), order);
      const found = transposeTensor({ dtype: 'float32', shape, data }, order);
      expect([found.shape, [...found.data]]).toEqual([expected.shape, [...expected.dataSync()]]);
    } // prettier-ignore
    expect(() => transposeTensor(matrix([2], 1, 2), [1])).toThrow(UsageError);
    expect([...transposeTensor(matrix([], 7)).data]).toEqual([7]);
  });

  it('turn half precision into numbers: normal, subnormal, infinite, not a number', () => {
    const half = castTensor({ dtype: 'float16', shape: [6], data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfc00, 0x7e00) });
    expect([...half.data]).toEqual([1, -2, 2 ** -24, Infinity, -Infinity, NaN]);
  });
});
