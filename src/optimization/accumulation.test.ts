import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../function/index.js';
import { OptimizerFactory, GradientAccumulation, ScaledRate } from './index.js';
import type { AccumulationPhase, Optimizer } from './index.js';

const config = {
  optimizer: { type: 'adam', adam: { global_clipnorm: 0.5 } },
  learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.1, decay_steps: 4 } },
  ema: { average_decay: 0.9 },
};
const rows = Array.from({ length: 24 }, (_, i) => [Math.sin(3 * i), Math.cos(2 * i)]);
const targets = rows.map(([a, b]) => [3 * a! - 2 * b! + 1]);

/** Trains a line for as many updates as there are groups of batches, each batch a range of rows. */
function train(
  groups: readonly (readonly [number, number][])[],
  compiled: boolean,
): { weights: number[]; average: number[]; updates: number } {
  const w = tf.variable(tf.tensor2d([[0.1], [0.2]]));
  const unused = tf.variable(tf.scalar(1));
  const factory = new OptimizerFactory(config);
  const optimizer = factory.buildOptimizer(factory.buildLearningRate()) as Optimizer & {
    shadowCopy(v: tf.Variable[]): void;
    averageOf(v: tf.Variable): tf.Variable;
  };
  optimizer.shadowCopy([w]);
  const accumulation = new GradientAccumulation(optimizer);
  const step = (phase: AccumulationPhase | null) =>
    compile(
      (x: tf.Tensor2D, y: tf.Tensor2D) => {
        const loss = (): tf.Scalar => tf.mean(tf.squaredDifference(tf.matMul(x, w as unknown as tf.Tensor2D), y));
        const { grads } = tf.variableGrads(loss, [w]);
        if (phase !== null) accumulation.begin(phase, x.shape[0]);
        (phase === null ? optimizer : accumulation).applyGradients([[grads[w.name]!, w], [null, unused]]); // prettier-ignore
      },
      { eager: !compiled },
    );
  const steps = { whole: step(null), first: step('first'), middle: step('middle'), last: step('last') };
  for (const group of groups) {
    group.forEach(([from, to], i) => {
      const phase = group.length === 1 ? 'whole' : i === 0 ? 'first' : i === group.length - 1 ? 'last' : 'middle';
      steps[phase].runSync(tf.tensor2d(rows.slice(from, to)), tf.tensor2d(targets.slice(from, to)));
    });
  }
  return { weights: [...w.dataSync()], average: [...optimizer.averageOf(w).dataSync()], updates: optimizer.iterations.dataSync()[0]! };
}

const large = train([[[0, 12]], [[12, 24]], [[0, 12]]], true);

describe('gradient accumulation', () => {
  it.each([
    ['three batches of four', [[[0, 4], [4, 8], [8, 12]], [[12, 16], [16, 20], [20, 24]], [[0, 4], [4, 8], [8, 12]]]],
    ['two batches of six', [[[0, 6], [6, 12]], [[12, 18], [18, 24]], [[0, 6], [6, 12]]]],
    ['batches of different sizes', [[[0, 1], [1, 9], [9, 12]], [[12, 22], [22, 24]], [[0, 5], [5, 12]]]],
  ] as [string, [number, number][][]][])('of %s equals the large batch: clipped Adam on a schedule, with averages', (_name, groups) => {
    for (const compiled of [true, false]) {
      const small = train(groups, compiled);
      expect(small.updates).toBe(3);
      small.weights.forEach((value, i) => expect(value).toBeCloseTo(large.weights[i]!, 6));
      small.average.forEach((value, i) => expect(value).toBeCloseTo(large.average[i]!, 6));
    }
  }); // prettier-ignore

  it('forgets the sums of an update that was not finished', () => {
    const w = tf.variable(tf.scalar(1));
    const factory = new OptimizerFactory({
      optimizer: { type: 'sgd' },
      learning_rate: { type: 'constant', constant: { learning_rate: 1 } } as object,
    });
    const accumulation = new GradientAccumulation(factory.buildOptimizer(factory.buildLearningRate()));
    const give = (phase: AccumulationPhase, gradient: number): void => {
      accumulation.begin(phase, 1);
      accumulation.applyGradients([[tf.scalar(gradient), w]]);
    };
    give('first', 100);
    give('first', 1);
    give('last', 3);
    expect(w.dataSync()[0]).toBe(1 - 2);
  });
});

describe('ScaledRate', () => {
  it('scales a number and a schedule, on the host and in compiled steps without a new trace', () => {
    const factory = new OptimizerFactory({ optimizer: { type: 'sgd' }, learning_rate: { type: 'exponential', exponential: { initial_learning_rate: 0.5, decay_rate: 0.5, decay_steps: 1 } } as object }); // prettier-ignore
    for (const [rate, atTwo] of [
      [0.25, 0.25],
      [factory.buildLearningRate(), 0.125],
    ] as const) {
      // prettier-ignore
      const scaled = new ScaledRate(rate);
      const step = compile((s: tf.Scalar) => scaled.at(s));
      const two = tf.scalar(2, 'int32');
      expect(step.runSync(two).dataSync()[0]).toBeCloseTo(atTwo, 6);
      scaled.factor = 0.1;
      expect(step.runSync(two).dataSync()[0]).toBeCloseTo(atTwo / 10, 6);
      expect(scaled.valueAt(2)).toBeCloseTo(atTwo / 10, 12);
      expect(step.traceCount).toBe(1);
    }
  });
});
