import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { Checkpoint } from './checkpoint.js';

const directory = await mkdtemp(path.join(tmpdir(), 'tf-optimizer-'));
const makers: [string, () => tf.Optimizer][] = [
  ['sgd', () => tf.train.sgd(0.1)],
  ['momentum', () => tf.train.momentum(0.1, 0.9)],
  ['adam', () => tf.train.adam(0.1)],
  ['adamax', () => tf.train.adamax(0.1)],
  ['adagrad', () => tf.train.adagrad(0.1)],
  ['adadelta', () => tf.train.adadelta(0.1)],
  ['rmsprop', () => tf.train.rmsprop(0.1, 0.9, 0.5, 1e-7, true)],
];

function step(optimizer: tf.Optimizer, w: tf.Variable): void {
  optimizer.minimize(() => tf.tidy(() => tf.sum(tf.square(tf.sub(w, tf.tensor1d([1, -2]))) as tf.Tensor) as tf.Scalar), false, [w]);
}

describe('a tfjs optimizer', () => {
  it.each(makers)('goes on exactly after a restore, with slots or without: %s', async (name, make) => {
    const [w, optimizer] = [tf.variable(tf.tensor1d([0, 0])), make()];
    const [start, later] = [path.join(directory, `${name}-0`), path.join(directory, `${name}-3`)];
    await new Checkpoint({ w, optimizer }).write(start);
    for (let i = 0; i < 3; i++) step(optimizer, w);
    await new Checkpoint({ w, optimizer }).write(later);
    for (let i = 0; i < 2; i++) step(optimizer, w);
    const expected = [...w.dataSync()];

    const other = { w: tf.variable(tf.tensor1d([7, 7])), optimizer: make() };
    await new Checkpoint(other).restore(later);
    for (let i = 0; i < 2; i++) step(other.optimizer, other.w);
    expect([...other.w.dataSync()]).toEqual(expected);

    await new Checkpoint(other).restore(start); // back to before there were slots
    for (let i = 0; i < 5; i++) step(other.optimizer, other.w);
    expect([...other.w.dataSync()]).toEqual(expected);
  });

  it('refuses the state of another class', async () => {
    const target = await new Checkpoint({ optimizer: tf.train.sgd(0.1) }).write(path.join(directory, 'sgd'));
    await expect(new Checkpoint({ optimizer: tf.train.adam(0.1) }).restore(target)).rejects.toThrow(/Cannot restore "optimizer".*SGD/);
  });
});
