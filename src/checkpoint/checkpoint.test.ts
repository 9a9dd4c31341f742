import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { CheckpointError, UsageError } from '../errors.js';
import { Checkpoint, type RestoreOptions } from './checkpoint.js';
import { DamagedCheckpointError } from './damaged.js';
import { readSafetensors } from './safetensors.js';
import type { StateDict } from './state.js';

const directory = await mkdtemp(path.join(tmpdir(), 'checkpoint-'));
let count = 0;
const fresh = (): string => path.join(directory, String(count++), 'ckpt-1');

class Counter {
  constructor(public value = 0) {}
  assign(value: number): void {
    this.value = value;
  }
}

class Keeper {
  constructor(public state: StateDict = {}) {}
  stateDict(): StateDict {
    return this.state;
  }
  loadStateDict(state: StateDict): void {
    this.state = state;
  }
}

const build = (units = 3): tf.Sequential =>
  tf.sequential({
    layers: [tf.layers.dense({ units, inputShape: [2] }), tf.layers.batchNormalization(), tf.layers.dense({ units: 1, name: 'head' })],
  });
const weights = (model: tf.LayersModel): number[][] => model.getWeights().map((w) => [...w.dataSync()]);

describe('Checkpoint', () => {
  it('restores a model into another one that was built the same way', async () => {
    const model = build();
    const target = await new Checkpoint({ model, globalStep: new Counter(12) }).write(fresh());
    expect((await readdir(target)).sort()).toEqual(['manifest.json', 'model.safetensors', 'state.safetensors']);

    const other = build();
    const step = new Counter();
    expect(weights(other)).not.toEqual(weights(model));
    const before = tf.memory().numTensors;
    const result = await new Checkpoint({ model: other, globalStep: step }).restore(target);
    expect(tf.memory().numTensors).toBe(before);
    expect(weights(other)).toEqual(weights(model));
    expect([step.value, result.step]).toEqual([12, 12]);
    result.assertConsumed();
    expect(other.predict(tf.ones([1, 2])).toString()).toBe(model.predict(tf.ones([1, 2])).toString());
  });

  it('stores model variables under their object paths and everything else apart', async () => {
    const slot = tf.variable(tf.tensor1d([1, 2], 'int32'));
    const target = await new Checkpoint({ model: build(), critic: build(1), extra: { slots: [slot] } }).write(fresh());
    const names = [...(await readSafetensors(path.join(target, 'model.safetensors'))).keys()].sort();
    const own = ['batch_normalization_0/beta', 'batch_normalization_0/gamma', 'batch_normalization_0/moving_mean', 'batch_normalization_0/moving_variance', 'dense_0/bias', 'dense_0/kernel', 'head/bias', 'head/kernel']; // prettier-ignore
    expect(names).toEqual([...own, ...own.map((n) => `critic/${n}`)].sort());
    expect([...(await readSafetensors(path.join(target, 'state.safetensors')))]).toEqual([
      ['extra/slots/0', { dtype: 'int32', shape: [2], data: new Int32Array([1, 2]) }],
    ]);
  });

  it('gives every value of a state back exactly', async () => {
    const state: StateDict = {
      numbers: [0, -0, NaN, Infinity, -Infinity, 0.1, Number.MAX_VALUE, 5e-324],
      text: 'ä "quoted"\n', yes: true, none: null, nested: { $tensor: ['not', 'one'], $$: 1, $number: '1', '': { a: [] } }, list: [{ t: 1 }],
      '__proto__x': 1,
      tensors: { 'adam/m/dense_0/kernel': { dtype: 'float32', shape: [2, 2], data: new Float32Array([1, NaN, -0, 3]) } },
      big: { dtype: 'int64', shape: [], data: new BigInt64Array([-(2n ** 62n)]) },
    }; // prettier-ignore
    const target = await new Checkpoint({ keeper: new Keeper(state) }).write(fresh());
    const back = new Keeper();
    await new Checkpoint({ keeper: back }).restore(target);
    expect(back.state).toEqual(state);
    expect(Object.is((back.state['numbers'] as number[])[1], -0)).toBe(true);
  });

  it('counts saves, lists only the newest in the state file, and restores the count', async () => {
    const prefix = path.join(path.dirname(fresh()), 'model');
    const checkpoint = new Checkpoint({ step: new Counter(1) });
    await checkpoint.save(prefix);
    const second = await checkpoint.save(prefix);
    expect(second).toBe(`${prefix}-2`);
    const text = await readFile(path.join(path.dirname(prefix), 'checkpoint'), 'utf8');
    expect(text).toMatch(
      /^model_checkpoint_path: "model-2"\nall_model_checkpoint_paths: "model-2"\nall_model_checkpoint_timestamps: [\d.]+\nlast_preserved_timestamp: [\d.]+\n$/,
    );
    const other = new Checkpoint({ step: new Counter() });
    await other.read(second);
    expect(other.saveCounter).toBe(0);
    await other.restore(second);
    expect(other.saveCounter).toBe(2);
  });

  it('replaces an existing checkpoint and leaves nothing beside it', async () => {
    const target = fresh();
    const step = new Counter(1);
    const checkpoint = new Checkpoint({ step });
    await checkpoint.write(target);
    step.value = 2;
    await checkpoint.write(target);
    expect(await readdir(path.dirname(target))).toEqual(['ckpt-1']);
    step.value = 0;
    await checkpoint.restore(target);
    expect(step.value).toBe(2);
  });
});

describe('a checkpoint that does not fit', () => {
  it('lists every variable of another shape and changes nothing', async () => {
    const target = await new Checkpoint({ model: build(3) }).write(fresh());
    const model = build(4);
    const before = weights(model);
    const error = await new Checkpoint({ model }).restore(target).catch((e: unknown) => e as Error);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(
      'model/dense_0/kernel: expected float32[2,4], found float32[2,3] (tensor "dense_0/kernel" of model.safetensors)',
    );
    expect((error as Error).message).toContain('model/head/kernel: expected float32[4,1], found float32[3,1]');
    expect(weights(model)).toEqual(before);
  });

  it('is an error for restore and a list for read when variables are missing or left over', async () => {
    const target = await new Checkpoint({ model: build() }).write(fresh());
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] }), tf.layers.dense({ units: 3 })] });
    const checkpoint = new Checkpoint({ model });
    await expect(checkpoint.restore(target)).rejects.toThrow(
      /model\/dense_1\/kernel: not in the checkpoint[\s\S]*model\/head\/kernel: in the checkpoint/,
    );
    const result = await checkpoint.read(target);
    expect(result.missing).toEqual(['model/dense_1/kernel', 'model/dense_1/bias']);
    expect(result.unused).toContain('model/head/bias');
    expect(() => result.assertExistingObjectsMatched()).toThrow(/dense_1\/bias: not in/);
    expect(() => result.assertConsumed()).toThrow(/head\/bias: in the checkpoint/);
  });

  it('may hold items that are not wanted now', async () => {
    const target = await new Checkpoint({ model: build(), optimizer: new Keeper({ a: 1 }) }).write(fresh());
    const result = await new Checkpoint({ model: build(), optimizer: null }).restore(target);
    expect(result.unused).toEqual(['optimizer']);
    result.assertExistingObjectsMatched();
    expect(() => result.assertConsumed()).toThrow(/optimizer/);
  });

  it('names the object whose own loading failed', async () => {
    const target = await new Checkpoint({ iterator: new Keeper({ a: 1 }) }).write(fresh());
    const picky = {
      stateDict: () => ({}),
      loadStateDict: () => {
        throw new Error('no position');
      },
    };
    await expect(new Checkpoint({ iterator: picky }).restore(target)).rejects.toThrow(/Cannot restore "iterator" from ".*": no position/);
  });
});

describe('a damaged checkpoint', () => {
  const damage: [string, (target: string) => Promise<void>, RegExp][] = [
    ['a missing directory', (t) => rm(t, { recursive: true }), /There is no checkpoint/],
    ['no manifest', (t) => rm(path.join(t, 'manifest.json')), /not a complete checkpoint/],
    ['a missing file', (t) => rm(path.join(t, 'state.safetensors')), /"state.safetensors" is missing/],
    ['a short file', (t) => truncate(path.join(t, 'model.safetensors'), 100), /has 100 bytes, written were/],
    ['a flipped bit in a tensor', (t) => flip(path.join(t, 'model.safetensors'), -2), /model.safetensors" is damaged: tensor/],
    ['a flipped bit in a header', (t) => flip(path.join(t, 'model.safetensors'), 40), /model.safetensors" is/],
    [
      'a flipped digit in the manifest',
      (t) => edit(path.join(t, 'manifest.json'), (s) => s.replace('"step": 12', '"step": 13')),
      /manifest.json" is damaged/,
    ],
    ['a manifest cut short', (t) => truncate(path.join(t, 'manifest.json'), 50), /manifest.json" is damaged/],
  ];
  it.each(damage)('with %s is an error that says so, and changes nothing', async (_, apply, message) => {
    const globalStep = new Counter(12);
    const target = await new Checkpoint({ model: build(), globalStep }).write(fresh());
    await apply(target);
    const model = build();
    const before = weights(model);
    const failing = new Checkpoint({ model, globalStep }).restore(target);
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toBeInstanceOf(DamagedCheckpointError);
    expect(weights(model)).toEqual(before);
  });

  it('passes with verify: size where only data bits differ', async () => {
    const target = await new Checkpoint({ model: build() }).write(fresh());
    await flip(path.join(target, 'model.safetensors'), -2);
    await new Checkpoint({ model: build() }).restore(target, { verify: 'size' });
  });

  it('of a newer format is refused as such', async () => {
    const target = await new Checkpoint({ step: new Counter() }).write(fresh());
    const { manifestText, readManifest } = await import('./manifest.js');
    await writeFile(path.join(target, 'manifest.json'), manifestText({ ...(await readManifest(target)), version: 99 }));
    await expect(new Checkpoint({ step: new Counter() }).restore(target)).rejects.toThrow(/format orbit-checkpoint 99/);
  });
});

describe('wrong use', () => {
  const wrong: [string, () => unknown, RegExp][] = [
    ['a number as item', () => new Checkpoint({ lr: 3 }).snapshot(false), /"lr" cannot be part of a checkpoint: it is a number/],
    ['an object without state', () => new Checkpoint({ when: new Date() }).snapshot(false), /object of class Date/],
    ['a model without layers', () => new Checkpoint({ model: tf.sequential() }).snapshot(false), /no layers yet/],
    ['a function in a state', () => new Checkpoint({ k: new Keeper({ f: (() => 1) as never }) }).snapshot(false), /"k\/f": a function is not state/],
    ['a class in a state', () => new Checkpoint({ k: new Keeper({ d: new Map() as never }) }).snapshot(false), /"k\/d": a Map is not state/],
    ['a wrong array', () => new Checkpoint({ k: new Keeper({ t: { dtype: 'float32', shape: [1], data: new Int32Array(1) } }) }).snapshot(false), /needs its data in a Float32Array, found Int32Array/],
    ['a wrong length', () => new Checkpoint({ k: new Keeper({ t: { dtype: 'int32', shape: [2], data: new Int32Array(1) } }) }).snapshot(false), /has 1 elements, its shape \[2\] needs 2/],
    ['a complex variable', () => new Checkpoint({ v: tf.variable(tf.complex([1], [2])) }).snapshot(false), /complex64 are not supported/],
    ['an unknown name', () => new Checkpoint({ 'a/b': new Counter() }), /name "a\/b"/],
  ]; // prettier-ignore
  it.each(wrong)('%s is refused with the path', (_, run, message) => {
    expect(run).toThrow(message);
  });

  it('an unknown option is refused', async () => {
    const checkpoint = new Checkpoint({ step: new Counter() });
    await expect(checkpoint.restore('x', { match: 'some' } as unknown as RestoreOptions)).rejects.toThrow(UsageError);
    await expect(checkpoint.restore('x', { verify: 'maybe' } as unknown as RestoreOptions)).rejects.toThrow(UsageError);
  });

  it('a directory that cannot be written is an error with path and reason, and leaves nothing', async () => {
    const blocked = path.join(path.dirname(fresh()), 'file');
    await cp(import.meta.filename, blocked);
    await expect(new Checkpoint({ step: new Counter() }).write(path.join(blocked, 'ckpt-1'))).rejects.toThrow(
      /Cannot create the directory ".*file".*is in the way|not a directory/,
    );
    expect(await readdir(path.dirname(blocked))).toEqual(['file']);
  });
});

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  await writeFile(file, bytes);
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}
