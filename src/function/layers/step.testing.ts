/** For tests: a layer or model run eagerly and compiled, from the same weights and the same random numbers. */
import * as tf from '#tf';
import { expect } from 'vitest';
import { compile, setRandomSeed } from '../index.js';

/** Numbers that differ from element to element. */
export function input(shape: readonly number[], whole?: number, [low, high]: readonly [number, number] = [-1, 1]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const unit = (i: number): number => ((i + 1) * 0.6180339887) % 1;
  const value = (i: number): number => (whole === undefined ? low + (high - low) * unit(i) : Math.floor(whole * unit(i)));
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => value(i)),
    [...shape],
  );
}

/** The trainable weights of a layer as variables. */
export const variablesOf = (layer: tf.layers.Layer): tf.Variable[] => layer.trainableWeights.map((w) => w.read() as tf.Variable);

/** The losses that a layer adds, summed. */
export const addedLosses = (layer: tf.layers.Layer): tf.Scalar[] =>
  layer instanceof tf.LayersModel
    ? layer.calculateLosses()
    : ((layer as unknown as { losses: (() => tf.Scalar)[] }).losses.map((f) => f()) as tf.Scalar[]);

/**
 * Runs `f` twice eagerly and twice compiled, from the same state of the layer, and compares results and weights after each:
 * to a relative 1e-5 of the largest number in a tensor.
 */
export function agreeWithEager(layer: tf.layers.Layer, f: (...xs: tf.Tensor[]) => tf.Tensor[], xs: tf.Tensor[]): void {
  const start = layer.getWeights().map((w) => w.clone());
  const run = (eager: boolean): (readonly [string, Float32Array | Int32Array | Uint8Array])[] => {
    layer.setWeights(start);
    setRandomSeed(11);
    const step = compile(f, { eager });
    const seen = [1, 2].flatMap((n) =>
      [...step.runSync(...(xs as never[])), ...layer.getWeights()].map(
        (t, i) => [`run ${n}, tensor ${i} [${t.shape.join()}]`, t.dataSync().slice()] as const,
      ),
    );
    step.dispose();
    return seen;
  };
  const [expected, got] = [run(true), run(false)];
  expect(got.map(([name]) => name)).toEqual(expected.map(([name]) => name));
  expected.forEach(([name, values], i) => {
    const scale = Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0.1);
    values.forEach((v, k) => {
      const error = Math.abs(v - got[i]![1][k]!);
      if (!(error <= 1e-5 * scale)) expect.fail(`${name}: element ${k} is ${v} eagerly and ${got[i]![1][k]} compiled`);
    });
  });
}
