import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile, setRandomSeed } from './index.js';

const [BATCH, TIME, FEATURES, UNITS] = [3, 11, 4, 5];
const l = tf.layers;

type Options = Record<string, unknown>;
const cells: Record<string, (o: Options) => tf.layers.Layer> = {
  lstm: (o) => l.lstm({ units: UNITS, recurrentInitializer: 'glorotUniform', ...o } as never),
  gru: (o) => l.gru({ units: UNITS, recurrentInitializer: 'glorotUniform', ...o } as never),
  simpleRNN: (o) => l.simpleRNN({ units: UNITS, recurrentInitializer: 'glorotUniform', ...o } as never),
};

const variants: Record<string, Options> = {
  'last output': {},
  'all outputs': { returnSequences: true },
  backwards: { goBackwards: true, returnSequences: true },
  'sigmoid gates': { recurrentActivation: 'sigmoid' },
  dropout: { dropout: 0.4, recurrentDropout: 0.3 },
  'no bias': { useBias: false },
};

/** Outputs and the gradients by weights and input of a function of a layer, compiled and eager, from the same random state. */
function both(layer: tf.layers.Layer, apply: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): [number[][], number[][]] {
  const f = (input: tf.Tensor): tf.Tensor[] => {
    const weights = layer.trainableWeights.map((w) => w.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(() => {
      const y = apply(input);
      return y.mul(y.add(0.3)).sum() as tf.Scalar;
    }, weights);
    const dx = tf.grad((t: tf.Tensor) => apply(t).square().sum())(input);
    return [value, dx, ...weights.map((w) => grads[w.name]!)];
  };
  return [{}, { eager: true }].map((options) => {
    setRandomSeed(7);
    const results = compile(f, options).runSync(x) as tf.Tensor[];
    return results.map((t) => [...t.dataSync()]);
  }) as [number[][], number[][]];
}

function expectAgreement([got, expected]: [number[][], number[][]]): void {
  expect(got.length).toBe(expected.length);
  got.forEach((g, i) => {
    const scale = Math.max(1e-2, ...expected[i]!.map(Math.abs));
    g.forEach((v, k) => expect(Math.abs(v - expected[i]![k]!) / scale, `result ${i}, element ${k}`).toBeLessThan(1e-5));
  });
}

const series = (): tf.Tensor3D => tf.randomNormal([BATCH, TIME, FEATURES], 0, 1, 'float32', 3);

describe('recurrent layers', () => {
  for (const [cell, make] of Object.entries(cells)) {
    for (const [variant, options] of Object.entries(variants)) {
      it(`${cell}, ${variant}: compiled numbers and gradients are eager's`, () => {
        const layer = make(options);
        layer.apply(tf.zeros([BATCH, TIME, FEATURES])); // builds it
        const apply = (x: tf.Tensor): tf.Tensor => layer.apply(x, { training: true }) as tf.Tensor;
        expectAgreement(both(layer, apply, series()));
      });
    }
  }
});
