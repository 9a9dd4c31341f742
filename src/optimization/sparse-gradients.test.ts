import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { type AccumulationPhase, GradientAccumulation, OptimizerFactory, SGD } from './index.js';

interface Recorded {
  table: number[];
  ids: number[][];
  upstream: number[][];
  cases: { name: string; config: object; after: number[][] }[];
}
const file = new URL('../../tests/fixtures/sparse-updates.json', import.meta.url);
const { table, ids, upstream, cases } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;

afterEach(() => tf.disposeVariables());

function make(config: object) {
  const factory = new OptimizerFactory(config);
  const optimizer = factory.buildOptimizer(factory.buildLearningRate()) as SGD;
  const rows = tf.variable(tf.tensor2d(table, [6, 3]));
  const step = (i: tf.Tensor1D, w: tf.Tensor2D): void => {
    optimizer.minimize(() => tf.sum(tf.mul(tf.gather(rows, i), w)) as tf.Scalar, false, [rows]);
  };
  return { rows, step };
}

describe('an embedding of which batches read some rows is updated as recorded from the reference, eagerly and compiled', () => {
  it.each(cases)('$name', async ({ config, after }) => {
    const [eager, compiled] = [make(config), make(config)];
    const step = compile(compiled.step);
    for (const [update, wanted] of after.entries()) {
      const [i, w] = [tf.tensor1d(ids[update]!, 'int32'), tf.tensor2d(upstream[update]!, [3, 3])];
      eager.step(i, w);
      await step(i, w);
      for (const { rows } of [eager, compiled])
        rows.dataSync().forEach((x, j) => expect(Math.abs(x - wanted[j]!), `update ${update}, element ${j}`).toBeLessThanOrEqual(5e-6));
    }
    step.dispose();
  });
});

describe('a row that no lookup of the batch reads', () => {
  const momentum = () => new SGD({ learningRate: 1, momentum: 0.5 });
  const lookup = (rows: tf.Variable, row: number) => tf.sum(tf.gather(rows, tf.tensor1d([row], 'int32')));

  it('goes on with its momentum where the gradient has another part, too', () => {
    const [sgd, rows] = [momentum(), tf.variable(tf.zeros([2]))];
    sgd.minimize(() => lookup(rows, 0) as tf.Scalar, false, [rows]);
    sgd.minimize(() => tf.add(lookup(rows, 1), lookup(rows, 1)) as tf.Scalar, false, [rows]);
    expect([...rows.dataSync()]).toEqual([-1.5, -2]);
  });

  it('stays where it is also when the batch before read it', () => {
    const [sgd, rows] = [momentum(), tf.variable(tf.zeros([2]))];
    for (const row of [0, 1, 0]) sgd.minimize(() => lookup(rows, row) as tf.Scalar, false, [rows]);
    expect([...rows.dataSync()]).toEqual([-2.5, -1]);
  });
});

describe('an embedding under gradient accumulation', () => {
  const phases: AccumulationPhase[] = ['first', 'middle', 'last'];
  /** Three batches of one lookup each make one update, as recorded of one batch of three. */
  const accumulate = (config: object) => {
    const factory = new OptimizerFactory(config);
    const accumulation = new GradientAccumulation(factory.buildOptimizer(factory.buildLearningRate()));
    const rows = tf.variable(tf.tensor2d(table, [6, 3]));
    accumulation.build([rows]);
    const part = (phase: AccumulationPhase) => (i: tf.Tensor1D, w: tf.Tensor2D) => {
      accumulation.begin(phase, 1);
      // The mean over three batches of three times a third of the loss is its sum.
      accumulation.minimize(() => tf.mul(tf.sum(tf.mul(tf.gather(rows, i), w)), 3) as tf.Scalar, false, [rows]);
    };
    return { rows, parts: phases.map(part) };
  };

  it.each(cases)('is updated as by one large batch: $name', async ({ config, after }) => {
    const [eager, compiled] = [accumulate(config), accumulate(config)];
    const steps = compiled.parts.map((part) => compile(part));
    for (const [update, wanted] of after.entries()) {
      for (const [k, id] of ids[update]!.entries()) {
        const [i, w] = [tf.tensor1d([id], 'int32'), tf.tensor2d(upstream[update]!.slice(3 * k, 3 * k + 3), [1, 3])];
        eager.parts[k]!(i, w);
        await steps[k]!(i, w);
      }
      for (const { rows } of [eager, compiled])
        rows.dataSync().forEach((x, j) => expect(Math.abs(x - wanted[j]!), `update ${update}, element ${j}`).toBeLessThanOrEqual(5e-6));
    }
    steps.forEach((step) => step.dispose());
  });

  it('is updated as a whole where one batch uses it otherwise, too', () => {
    const accumulation = new GradientAccumulation(new SGD({ learningRate: 1, momentum: 0.5 }));
    const rows = tf.variable(tf.zeros([2]));
    accumulation.build([rows]);
    const lookup = (row: number) => tf.sum(tf.gather(rows, tf.tensor1d([row], 'int32'))) as tf.Scalar;
    for (const losses of [
      [() => lookup(0), () => lookup(0)],
      [() => lookup(1), () => tf.add(lookup(1), lookup(1)) as tf.Scalar],
    ])
      // prettier-ignore
      losses.forEach((loss, k) => {
        accumulation.begin(k === 0 ? 'first' : 'last', 1);
        accumulation.minimize(loss, false, [rows]);
      });
    expect([...rows.dataSync()]).toEqual([-1.5, -1.5]);
  });
});
