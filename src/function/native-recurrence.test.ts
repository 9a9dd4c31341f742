import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, setRandomSeed } from './index.js';
import { check } from './kernels/agree.testing.js';
import { nativeLibrary } from './runtime/native.js';
import { Session } from './runtime/session.js';
import type { OnnxAttribute } from './graph/onnx.js';

const native = nativeLibrary(true)?.ops.has('Recurrence');
/** Why the tests below are left out where they are. */
const reason = native ? '' : ' (no native kernels here)';

type Options = Record<string, unknown>;
type Cell = 'lstm' | 'gru' | 'simpleRNN';

function makeLayer(cell: Cell, options: Options): tf.layers.Layer {
  return tf.layers[cell]({ recurrentInitializer: 'glorotUniform', biasInitializer: 'randomNormal', ...options } as never);
}

const series = (batch: number, time: number, features: number): tf.Tensor3D => tf.randomNormal([batch, time, features], 0, 1, 'float32', 3);

/** The outputs of a layer and their gradients by its input and its weights, of one series. */
function learning(layer: tf.layers.Layer, x: tf.Tensor, kwargs: Options = {}): () => tf.Tensor[] {
  const series = tf.variable(x);
  const variables = [series, ...layer.trainableWeights.map((w) => w.read() as tf.Variable)];
  return () => {
    let outputs: tf.Tensor | undefined;
    const { grads } = tf.variableGrads(() => {
      const results = [layer.call(series, { training: true, ...kwargs } as never)].flat();
      const flat = results.map((y) => tf.reshape(y, [-1]));
      outputs = tf.keep(tf.concat(flat, 0));
      return outputs.mul(outputs.add(0.3)).sum() as tf.Scalar;
    }, variables);
    return [outputs!, ...variables.map((v) => grads[v.name]!)];
  };
}

const opsOf = (profile: { readonly rows: readonly { readonly op: string }[] }): string[] => profile.rows.map((r) => r.op);

/** Compares the native kernel with ONNX Runtime's Scan and with eager tfjs. */
function same(f: () => tf.Tensor[], ops = /Recurrence/): void {
  const expected = f();
  const step = compile(f);
  const plain = compile(f, { nativeKernels: false });
  const [got, again, other] = [step.runSync(), step.runSync(), plain.runSync()];
  expect(opsOf(step.profile()).join()).toMatch(ops);
  got.forEach((y, i) => {
    expect(again[i]!.dataSync()).toEqual(y.dataSync());
    for (const right of [other[i]!, expected[i]!]) {
      const [a, b] = [y, right].map((t) => t.dataSync() as Float32Array) as [Float32Array, Float32Array];
      expect(y.shape).toEqual(right.shape);
      const scale = b.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
      const off = a.findIndex((v, k) => !(Math.abs(v - b[k]!) <= 2e-5 * scale));
      if (off >= 0) expect.fail(`result ${i} of shape [${y.shape.join()}]: element ${off} is ${a[off]}, not ${b[off]}`);
    }
  });
  step.dispose();
  plain.dispose();
}

describe.skipIf(!native)(`native recurrences${reason}`, () => {
  const cases = fc.record({
    cell: fc.constantFrom<Cell>('lstm', 'gru', 'simpleRNN'),
    batch: fc.integer({ min: 1, max: 9 }),
    time: fc.integer({ min: 8, max: 12 }),
    features: fc.integer({ min: 1, max: 6 }),
    units: fc.integer({ min: 1, max: 40 }),
    activation: fc.constantFrom('tanh', 'relu', 'linear'),
    recurrentActivation: fc.constantFrom('sigmoid', 'hardSigmoid', 'tanh'),
    useBias: fc.boolean(),
    unitForgetBias: fc.boolean(),
    goBackwards: fc.boolean(),
    returnSequences: fc.boolean(),
    returnState: fc.boolean(),
  });

  it('compute layers and their gradients as Scan and eager tfjs do', () => {
    check(cases, 12, ({ cell, batch, time, features, ...options }) => {
      const layer = makeLayer(cell, options);
      layer.build([batch, time, features]);
      same(learning(layer, series(batch, time, features)));
    });
  });

  it('keep masks and initial states', () => {
    const masks = fc.record({
      cell: fc.constantFrom<Cell>('lstm', 'gru'),
      batch: fc.integer({ min: 1, max: 5 }),
      units: fc.integer({ min: 1, max: 18 }),
    });
    check(masks, 4, ({ cell, batch, units }) => {
      const [time, features] = [9, 3];
      const layer = makeLayer(cell, { units, returnSequences: true });
      layer.build([batch, time, features]);
      const seen = Array.from({ length: batch * time }, (_, i) => Number(i % 5 !== 2));
      const initialState = (cell === 'lstm' ? [1, 2] : [1]).map((seed) => tf.randomNormal([batch, units], 0, 1, 'float32', seed));
      same(learning(layer, series(batch, time, features), { mask: tf.tensor2d(seen, [batch, time]), initialState }));
    });
  });

  it('draw dropout as eager layers do', () => {
    for (const cell of ['lstm', 'gru'] as const) {
      const layer = makeLayer(cell, { units: 6, dropout: 0.4, recurrentDropout: 0.3, returnSequences: true });
      layer.build([3, 9, 4]);
      const f = (t: tf.Tensor): tf.Tensor => layer.call(t, { training: true }) as tf.Tensor;
      const x = series(3, 9, 4);
      const [got, expected] = [{}, { eager: true }].map((options) => {
        setRandomSeed(7);
        return compile(f, options).runSync(x);
      });
      tf.test_util.expectArraysClose(got!.dataSync(), expected!.dataSync(), 1e-5);
      expect(opsOf(compile(f).profile(x))).toContain('Recurrence');
    }
  });

  it('run stacked and bidirectional layers, and cells of other kinds', () => {
    const x = series(3, 10, 4);
    const wholes: tf.layers.Layer[] = [
      tf.layers.bidirectional({ layer: makeLayer('lstm', { units: 5, returnSequences: true }) as tf.RNN, mergeMode: 'concat' }),
      tf.layers.rnn({
        cell: [tf.layers.lstmCell({ units: 3 }), tf.layers.gruCell({ units: 7 })],
        returnSequences: true,
      }) as tf.layers.Layer,
    ];
    for (const layer of wholes) {
      layer.apply(tf.zeros(x.shape));
      same(learning(layer, x));
    }
  });

  it('agree with differences of the loss', () => {
    const [batch, time, features, units] = [2, 8, 2, 3];
    for (const cell of ['lstm', 'gru'] as const) {
      const layer = makeLayer(cell, { units, recurrentActivation: 'sigmoid' });
      layer.build([batch, time, features]);
      const x = series(batch, time, features);
      const step = compile((t: tf.Tensor) => {
        const loss = (u: tf.Tensor): tf.Tensor => (layer.call(u, {}) as tf.Tensor).square().sum();
        return [loss(t), tf.grad(loss)(t)];
      });
      const slope = step.runSync(x)[1]!.dataSync();
      const at = (element: number, by: number): number => {
        const moved = Float32Array.from(x.dataSync());
        moved[element]! += by;
        return step.runSync(tf.tensor(moved, x.shape))[0]!.dataSync()[0]!;
      };
      for (let i = 0; i < x.size; i++) expect((at(i, 0.01) - at(i, -0.01)) / 0.02).toBeCloseTo(slope[i]!, 3);
    }
  });

  it('leave steps that they cannot compute to Scan', () => {
    const cell = tf.layers.simpleRNNCell({ units: 4, activation: 'softmax' });
    const layer = tf.layers.rnn({ cell, returnSequences: true }) as tf.layers.Layer;
    const x = series(3, 9, 2);
    layer.apply(x);
    same(() => [layer.call(x, {}) as tf.Tensor], /Scan/);
  });

  it('of linear cells, which read no stack on their way back, agree', () => {
    const layer = makeLayer('simpleRNN', { units: 3, activation: 'linear' });
    layer.build([2, 9, 3]);
    same(learning(layer, series(2, 9, 3)));
  });

  it('leave few rows with large matrices to Scan, whose products all threads share', () => {
    const layer = makeLayer('lstm', { units: 300 });
    layer.build([4, 8, 2]);
    const step = compile((t: tf.Tensor) => layer.call(t, {}) as tf.Tensor, { threads: 2 });
    expect(opsOf(step.profile(series(1, 8, 2)))).not.toContain('Recurrence');
    expect(opsOf(step.profile(series(2, 8, 2)))).toContain('Recurrence');
  });

  it('give the same bits with any number of threads', () => {
    const layer = makeLayer('lstm', { units: 21, returnSequences: true });
    layer.build([5, 9, 3]);
    const x = series(5, 9, 3);
    const [one, two] = [1, 2].map((threads) =>
      compile((t: tf.Tensor) => layer.call(t, {}) as tf.Tensor, { threads })
        .runSync(x)
        .dataSync(),
    );
    expect(one).toEqual(two);
  });

  it('are no part of portable models', () => {
    const layer = makeLayer('lstm', { units: 4 });
    layer.build([2, 9, 3]);
    const step = compile((t: tf.Tensor) => layer.call(t, {}) as tf.Tensor);
    const x = series(2, 9, 3);
    expect(opsOf(step.profile(x))).toContain('Recurrence');
    expect(Buffer.from(step.toOnnx(x)).toString('latin1')).not.toContain('Recurrence');
  });

  it('refuse programs that do not fit, with their name and shapes', () => {
    const attributes = {
      steps: 8,
      rows: 2,
      reverse: 0,
      values: [0, 0, 0, 3, 5, 0, 0, 3, 6, 0, 0, 3],
      constants: { floats: [0] },
      program: [0, 2, 0, 1, -1],
      states: [2, 1],
      outputs: [1, 2],
      shapes: [3, 8, 2, 3],
    };
    const open = (change: Record<string, OnnxAttribute>): Session =>
      new Session({
        name: 'wrong',
        inputs: [
          { name: 'x', type: 'float32', shape: [8, 2, 3] },
          { name: 'h', type: 'float32', shape: [2, 3] },
        ],
        outputs: [{ name: 'y', type: 'float32', shape: [8, 2, 3] }],
        initializers: [],
        nodes: [
          {
            op: 'Recurrence',
            domain: 'orbit',
            inputs: ['x', 'h'],
            outputs: ['y'],
            attributes: { ...attributes, ...change } as never,
            label: 'lstm/Recurrence_1',
          },
        ],
      });
    open({}).close();
    expect(() => open({ program: [99, 2, 0, 1, -1] })).toThrow(/orbit\.Recurrence: node lstm\/Recurrence_1: unknown instruction 99/);
    expect(() => open({ program: [0, 2, 0, 7, -1] })).toThrow(/there is no value 7/);
    expect(() => open({ values: [0, 0, 0, 3, 5, 0, 0, 3, 6, 0, 0, 4] })).toThrow(/Recurrence.*(shape|columns)/s);
    expect(() => open({ shapes: [3, 8, 2, 4] })).toThrow(/an output of shape \[8,2,4\] cannot hold 48 numbers/);
    expect(() => open({ values: [7, 0, 0, 3, 5, 0, 0, 3, 6, 0, 0, 3] })).toThrow(/columns of no value/);
  });
});
