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

  const wholes: Record<string, () => tf.layers.Layer> = {
    'a bidirectional layer': () => l.bidirectional({ layer: cells['gru']!({ returnSequences: true }) as tf.RNN, mergeMode: 'concat' }),
    'stacked cells': () =>
      l.rnn({
        cell: [
          l.lstmCell({ units: 3, recurrentInitializer: 'glorotUniform' }),
          l.gruCell({ units: 4, recurrentInitializer: 'glorotUniform' }),
        ],
        returnSequences: true,
      }) as tf.layers.Layer,
    'a layer applied to each step': () => l.timeDistributed({ layer: l.dense({ units: 3, activation: 'tanh' }) }),
    'a convolutional LSTM': () => l.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same', returnSequences: true }),
  };

  for (const [name, make] of Object.entries(wholes)) {
    it(`${name}: compiled numbers and gradients are eager's`, () => {
      const layer = make();
      const x = name.includes('convolutional') ? tf.randomNormal([2, TIME, 4, 4, 2], 0, 1, 'float32', 3) : series();
      layer.apply(tf.zeros(x.shape));
      expectAgreement(both(layer, (t) => layer.apply(t, { training: true }) as tf.Tensor, x));
    });
  }

  it('hidden steps leave states and outputs as they were', () => {
    const layer = cells['lstm']!({ returnSequences: true });
    const x = series();
    layer.apply(tf.zeros(x.shape));
    const seen = Array.from({ length: BATCH * TIME }, (_, i) => Number(i % 5 !== 2 && i % TIME < 8));
    const mask = tf.tensor2d(seen, [BATCH, TIME]);
    expectAgreement(both(layer, (t) => layer.call(t, { mask } as never) as tf.Tensor, x));
  });

  it('start from given states and return the last ones', () => {
    const layer = cells['lstm']!({ returnState: true });
    const x = series();
    layer.apply(tf.zeros(x.shape));
    const [h, c] = [tf.randomNormal([BATCH, UNITS], 0, 1, 'float32', 1), tf.randomNormal([BATCH, UNITS], 0, 1, 'float32', 2)];
    const apply = (t: tf.Tensor): tf.Tensor => tf.concat(layer.call(t, { initialState: [h, c.mul(t.mean())] } as never) as tf.Tensor[], 1);
    expectAgreement(both(layer, apply, x));
  });

  it('a stateful layer goes on where it stopped', () => {
    const layer = l.gru({
      units: UNITS,
      recurrentInitializer: 'glorotUniform',
      stateful: true,
      batchInputShape: [BATCH, TIME, FEATURES],
    });
    const x = series();
    layer.apply(tf.zeros(x.shape));
    const three = (f: (t: tf.Tensor) => tf.Tensor): number[][] => {
      layer.resetStates();
      return [1, 2, 3].map(() => [...f(x).dataSync()]);
    };
    const apply = (t: tf.Tensor): tf.Tensor => layer.apply(t) as tf.Tensor;
    const expected = three(apply);
    three(compile(apply).runSync).forEach((got, i) => tf.test_util.expectArraysClose(got, expected[i]!, 1e-5));
    expect(expected[0]).not.toEqual(expected[1]);
  });

  it('a cell that draws new numbers at every step is unrolled, with eager numbers', () => {
    const cell = l.simpleRNNCell({ units: UNITS, recurrentInitializer: 'glorotUniform' });
    const call = cell.call.bind(cell);
    cell.call = (inputs, kwargs) => {
      const [output, state] = call(inputs, kwargs) as tf.Tensor[];
      const noise = tf.randomNormal(output!.shape, 0, 0.1);
      return [output!.add(noise), state!.add(noise)];
    };
    const layer = l.rnn({ cell, returnSequences: true }) as tf.layers.Layer;
    const x = series();
    layer.apply(tf.zeros(x.shape));
    expectAgreement(both(layer, (t) => layer.apply(t) as tf.Tensor, x));
    expect(compile((t: tf.Tensor) => layer.apply(t) as tf.Tensor).graph(x)).not.toContain('orbit.Loop');
  });

  it("second derivatives are eager's", () => {
    const layer = cells['simpleRNN']!({});
    const x = series();
    layer.apply(tf.zeros(x.shape));
    const slope = (t: tf.Tensor): tf.Tensor => tf.grad((u: tf.Tensor) => (layer.apply(u) as tf.Tensor).square().sum())(t);
    const f = (t: tf.Tensor): tf.Tensor => tf.grad((u: tf.Tensor) => slope(u).square().sum())(t);
    tf.test_util.expectArraysClose(compile(f).runSync(x).dataSync(), f(x).dataSync(), 1e-5);
  });

  it('the program does not grow with the number of steps', () => {
    const layer = cells['lstm']!({});
    layer.apply(tf.zeros([BATCH, TIME, FEATURES]));
    const weights = layer.trainableWeights.map((w) => w.read() as tf.Variable);
    const step = compile((x: tf.Tensor) => tf.variableGrads(() => (layer.apply(x) as tf.Tensor).sum(), weights).grads);
    const lines = [16, 256].map((time) => step.graph(tf.zeros([BATCH, time, FEATURES])).split('\n').length);
    expect(lines[0]).toBe(lines[1]);
  });
});
