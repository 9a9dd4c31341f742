/** For tests: the losses of training steps, compiled against eager. */
import * as tf from '#tf';
import { expect } from 'vitest';
import { compile, setRandomSeed } from '../index.js';

/** A training step and the arguments of each call. The step returns one or more losses. */
export interface Training {
  readonly steps: readonly ((...args: tf.Tensor[]) => tf.Tensor)[];
  readonly batch: (step: number) => tf.Tensor[];
}

/** Makes model, optimizer and step anew; all randomness comes from the seed that is set before. */
export type Build = () => Training;

const STEPS = 20;

function losses(build: Build, eager: boolean, steps: number): number[] {
  setRandomSeed(17);
  const { steps: functions, batch } = build();
  const compiled = functions.map((f) => compile(f, { eager }));
  const seen: number[] = [];
  for (let step = 0; step < steps; step++) {
    const args = batch(step);
    for (const run of compiled) seen.push((run.runSync(...(args as never[])) as tf.Tensor).dataSync()[0]!);
  }
  compiled.forEach((c) => c.dispose());
  return seen;
}

/**
 * Compares the losses of the first steps: |Δ| ≤ 1e-5 · max(|loss|, 0.1).
 *
 * @param falls whether the last loss must be below the first.
 */
export function agreeWithEager(build: Build, { steps = STEPS, falls = true } = {}): void {
  const [expected, got] = [true, false].map((eager) => losses(build, eager, steps)) as [number[], number[]];
  expect(expected.every(Number.isFinite)).toBe(true);
  const worst = got.map((loss, i) => Math.abs(loss - expected[i]!) / Math.max(Math.abs(expected[i]!), 0.1));
  expect(Math.max(...worst), `losses ${expected.join()} eagerly, ${got.join()} compiled`).toBeLessThanOrEqual(1e-5);
  if (falls) expect(got.at(-1)).toBeLessThan(got[0]!);
}

/** Integer labels 0, 1, …, classes − 1, 0, … as rows of one-hot numbers. */
export function labels(count: number, classes: number, offset = 0): tf.Tensor {
  return tf.oneHot(
    tf.tensor1d(
      Array.from({ length: count }, (_, i) => (i * 3 + offset) % classes),
      'int32',
    ),
    classes,
    1,
    0,
    'float32',
  );
}

/** The trainable weights of a model as variables. */
export const variablesOf = (model: tf.layers.Layer): tf.Variable[] => model.trainableWeights.map((w) => w.read() as tf.Variable);

/** A step of a classifier: softmax cross-entropy and the model's own losses. */
export function classifier(model: tf.LayersModel, optimizer: tf.Optimizer): (x: tf.Tensor, y: tf.Tensor) => tf.Tensor {
  return (x, y) =>
    optimizer.minimize(
      () => {
        const loss = tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor);
        return model.calculateLosses().reduce((sum, l) => sum.add(l), loss as tf.Scalar);
      },
      true,
      variablesOf(model),
    )!;
}
