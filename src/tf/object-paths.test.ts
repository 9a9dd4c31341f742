import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { isLayersModel, isVariable, variablePaths } from './object-paths.js';

const paths = (x: unknown): string[] => [...variablePaths(x).values()];

function convolutional(): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1] }),
      tf.layers.batchNormalization(),
      tf.layers.conv2d({ filters: 2, kernelSize: 3 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, name: 'head', useBias: false }),
    ],
  });
}

describe('variablePaths', () => {
  it('gives the same model the same paths however often it is built', () => {
    const first = paths(convolutional());
    expect(first).toEqual([
      'conv2d_0/kernel',
      'conv2d_0/bias',
      'batch_normalization_0/gamma',
      'batch_normalization_0/beta',
      'batch_normalization_0/moving_mean',
      'batch_normalization_0/moving_variance',
      'conv2d_1/kernel',
      'conv2d_1/bias',
      'head/kernel',
    ]);
    expect(paths(convolutional())).toEqual(first);
  });

  it('maps exactly the variables of the weights', () => {
    const model = convolutional();
    const map = variablePaths(model);
    expect(new Set(map.keys())).toEqual(new Set(model.weights.map((w) => (w as unknown as { val: tf.Variable }).val)));
  });

  it('keeps the paths when layers are frozen', () => {
    const model = convolutional();
    const before = new Set(paths(model));
    model.layers[0]!.trainable = false;
    expect(new Set(paths(model))).toEqual(before);
  });

  it('nests the paths of nested models and names them like layers', () => {
    const build = (): tf.LayersModel => {
      const inner = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4] })] });
      const named = tf.sequential({ name: 'encoder', layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
      const x = tf.input({ shape: [4] });
      const hidden = named.apply(inner.apply(x)) as tf.SymbolicTensor;
      return tf.model({ inputs: x, outputs: tf.layers.dense({ units: 1 }).apply(hidden) as tf.SymbolicTensor });
    };
    const expected = [
      'sequential_0/dense_0/kernel', 'sequential_0/dense_0/bias',
      'encoder/dense_0/kernel', 'encoder/dense_0/bias',
      'dense_0/kernel', 'dense_0/bias',
    ]; // prettier-ignore
    expect(paths(build())).toEqual(expected);
    expect(paths(build())).toEqual(expected);
  });

  it('lists a shared layer once', () => {
    const shared = tf.layers.dense({ units: 3 });
    const [a, b] = [tf.input({ shape: [3] }), tf.input({ shape: [3] })];
    const sum = tf.layers.add().apply([shared.apply(a), shared.apply(b)] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    expect(paths(tf.model({ inputs: [a, b], outputs: sum }))).toEqual(['dense_0/kernel', 'dense_0/bias']);
  });

  it('gives short names to wrapped, bidirectional and stacked recurrent layers', () => {
    const build = (): tf.Sequential =>
      tf.sequential({
        layers: [
          tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2, useBias: false }), inputShape: [5, 3] }),
          tf.layers.bidirectional({ layer: tf.layers.gru({ units: 2, returnSequences: true }) as tf.RNN, mergeMode: 'concat' }),
          tf.layers.rnn({ cell: [tf.layers.lstmCell({ units: 2 }), tf.layers.lstmCell({ units: 2 })] }),
        ],
      });
    const names = paths(build());
    expect(names).toEqual([
      'time_distributed_0/dense_0/kernel',
      ...['forward', 'backward'].flatMap((d) => ['kernel', 'recurrent_kernel', 'bias'].map((w) => `bidirectional_0/${d}/${w}`)),
      ...['lstm_cell_0', 'lstm_cell_1'].flatMap((c) => ['kernel', 'recurrent_kernel', 'bias'].map((w) => `rnn_0/${c}/${w}`)),
    ]);
    expect(paths(build())).toEqual(names);
  });

  it('leaves a number to the layer that the user named so', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 1, inputShape: [1], useBias: false }),
        tf.layers.dense({ units: 1, name: 'dense_0', useBias: false }),
      ],
    });
    expect(paths(model)).toEqual(['dense_1/kernel', 'dense_0/kernel']);
  });

  it('joins the keys of objects and arrays, and starts layers below their key', () => {
    const w = tf.variable(tf.zeros([2]));
    const dense = tf.layers.dense({ units: 1 });
    dense.build([null, 2]);
    expect(paths({ block: [{ w }, { w: tf.variable(tf.zeros([2])) }], head: dense, again: w, rate: 0.1 })).toEqual([
      'block/0/w', 'block/1/w', 'head/kernel', 'head/bias',
    ]); // prettier-ignore
  });

  it('finds nothing in plain data and survives cycles', () => {
    const x: Record<string, unknown> = { a: 1, b: 'text', c: null, data: new Float32Array(3), t: tf.zeros([1]) };
    x['self'] = x;
    expect(paths(x)).toEqual([]);
  });
});

describe('recognition', () => {
  it('tells variables from tensors and models from layers', () => {
    expect([isVariable(tf.variable(tf.scalar(1))), isVariable(tf.scalar(1)), isVariable(null)]).toEqual([true, false, false]);
    expect([isLayersModel(convolutional()), isLayersModel(tf.layers.dense({ units: 1 }))]).toEqual([true, false]);
  });
});
