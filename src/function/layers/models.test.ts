import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../index.js';
import { addedLosses, agreeWithEager, input, variablesOf } from './step.testing.js';

const l = tf.layers;
type Symbolic = tf.SymbolicTensor;

/** One training step of plain gradient descent over the trainable weights; gives the loss and the output in inference mode. */
function trainingStep(model: tf.LayersModel): (...xs: tf.Tensor[]) => tf.Tensor[] {
  const optimizer = tf.train.sgd(0.1);
  return (...xs) => {
    const apply = (training: boolean): tf.Tensor => model.apply(xs.length === 1 ? xs[0]! : xs, { training }) as tf.Tensor;
    const loss = optimizer.minimize(
      () => addedLosses(model).reduce((sum, x) => sum.add(x), apply(true).square().mean()) as tf.Scalar,
      true,
      variablesOf(model),
    )!;
    return [loss, apply(false)];
  };
}

const check = (model: tf.LayersModel, ...xs: tf.Tensor[]): void => tf.tidy(() => agreeWithEager(model, trainingStep(model), xs));

describe('compiled models train as eager ones', () => {
  it('when layers and whole models are shared and nested', () => {
    const shared = l.dense({ units: 5, activation: 'tanh' });
    const inner = tf.sequential({ layers: [l.dense({ units: 6, inputShape: [5] }), l.batchNormalization(), l.dense({ units: 5 })] });
    const wrapped = tf.sequential({ layers: [l.inputLayer({ inputShape: [5] }), inner, l.dropout({ rate: 0.2 })] });
    const [a, b] = [tf.input({ shape: [5] }), tf.input({ shape: [5] })];
    const [p, q] = [a, b].map((x) => shared.apply(wrapped.apply(shared.apply(x)) as Symbolic) as Symbolic) as [Symbolic, Symbolic];
    const both = l.dot({ axes: -1 }).apply([p, q]) as Symbolic;
    check(tf.model({ inputs: [a, b], outputs: [both] }), input([6, 5]), input([6, 5], undefined, [0, 1]));
  });

  it('when masks pass through them', () => {
    const x = tf.input({ shape: [9] });
    const words = l.embedding({ inputDim: 4, outputDim: 3, maskZero: true }).apply(x) as Symbolic;
    const states = l.lstm({ units: 4, returnSequences: true, recurrentInitializer: 'glorotUniform' }).apply(words) as Symbolic;
    const summary = l.simpleRNN({ units: 3, recurrentInitializer: 'glorotUniform' }).apply(states) as Symbolic;
    check(tf.model({ inputs: x, outputs: summary }), input([5, 9], 4));

    const series = tf.input({ shape: [10, 2] });
    const masked = l.masking({ maskValue: 0 }).apply(series) as Symbolic;
    const dense = l.timeDistributed({ layer: l.dense({ units: 3 }) }).apply(masked) as Symbolic;
    const read = l.bidirectional({ layer: l.gru({ units: 2, recurrentInitializer: 'glorotUniform' }) as tf.RNN, mergeMode: 'sum' });
    check(tf.model({ inputs: series, outputs: read.apply(dense) as Symbolic }), input([3, 10, 2], 3));
  });

  it('when recurrent layers keep their state from batch to batch', () => {
    const layer = l.gru({ units: 3, stateful: true, batchInputShape: [2, 9, 3], recurrentInitializer: 'glorotUniform' });
    const model = tf.sequential({ layers: [layer] });
    tf.tidy(() => {
      const x = input([2, 9, 3]);
      const run = (eager: boolean): Float32Array[] => {
        model.resetStates();
        const step = compile((v: tf.Tensor) => model.apply(v) as tf.Tensor, { eager });
        return [1, 2].map(() => step.runSync(x).dataSync() as Float32Array);
      };
      const eager = run(true);
      expect([...eager[0]!]).not.toEqual([...eager[1]!]);
      run(false).forEach((values, i) => tf.test_util.expectArraysClose(values, eager[i]!, 1e-5));
    });
  });

  it('with each regulariser, on kernels, biases and outputs', () => {
    const { l1, l2, l1l2 } = tf.regularizers;
    check(
      tf.sequential({
        layers: [
          l.conv2d({
            inputShape: [5, 5, 2],
            filters: 3,
            kernelSize: 2,
            kernelRegularizer: l2({ l2: 0.1 }),
            biasRegularizer: l1({ l1: 0.1 }),
          }),
          l.batchNormalization({ gammaRegularizer: l2({ l2: 0.3 }), betaRegularizer: l1({ l1: 0.2 }) }),
          l.flatten(),
          l.dense({ units: 4, kernelRegularizer: l1l2({ l1: 0.05, l2: 0.02 }), biasRegularizer: 'l1l2' }),
        ],
      }),
      input([3, 5, 5, 2]),
    );
  });

  it('with each constraint, applied where a weight is written', () => {
    const { maxNorm, unitNorm, nonNeg, minMaxNorm } = tf.constraints;
    const kinds = [
      maxNorm({ maxValue: 0.5, axis: 0 }),
      unitNorm({ axis: 0 }),
      nonNeg(),
      minMaxNorm({ minValue: 0.4, maxValue: 0.6, rate: 0.7 }),
    ];
    for (const kernelConstraint of kinds) {
      tf.tidy(() => {
        const layer = l.dense({ units: 4, inputShape: [3], kernelConstraint });
        const model = tf.sequential({ layers: [layer] });
        const train = trainingStep(model);
        const step = (...xs: tf.Tensor[]): tf.Tensor[] => {
          const results = train(...xs);
          const [kernel] = layer.trainableWeights;
          const { constraint } = kernel as unknown as { constraint: { apply(w: tf.Tensor): tf.Tensor } };
          (kernel!.read() as tf.Variable).assign(constraint.apply(kernel!.read()));
          return results;
        };
        agreeWithEager(model, step, [input([5, 3])]);
      });
    }
  });

  it('when parts are frozen, whose weights then stay', () => {
    const frozen = l.dense({ units: 4, inputShape: [3], activation: 'relu' });
    const norm = l.batchNormalization();
    const model = tf.sequential({ layers: [frozen, norm, l.dense({ units: 2 })] });
    frozen.trainable = false;
    const before = frozen.getWeights().map((w) => [...w.dataSync()]);
    check(model, input([6, 3]));
    expect(frozen.getWeights().map((w) => [...w.dataSync()])).toEqual(before);
    expect(model.trainableWeights.length).toBe(4);
  });

  it('through batch normalisation without scale or centre', () => {
    for (const [scale, center] of [
      [false, true],
      [true, false],
      [false, false],
    ] as const) {
      const norm = l.batchNormalization({ scale, center, epsilon: 0, inputShape: [1] });
      check(tf.sequential({ layers: [norm, l.dense({ units: 2 })] }), input([6, 1]));
      const normed = norm.apply(tf.tensor2d([[1], [3]]), { training: true }) as tf.Tensor;
      if (!scale && !center) expect([...normed.dataSync()]).toEqual([-1, 1]);
    }
  });

  it('with weights that are made in the first call', () => {
    const model = tf.sequential();
    const [first, second] = [l.dense({ units: 3, kernelInitializer: 'ones' }), l.dense({ units: 2, kernelInitializer: 'ones' })];
    const step = compile((x: tf.Tensor) => second.apply(first.apply(x)) as tf.Tensor);
    expect(model.layers.length).toBe(0);
    expect([...step.runSync(tf.ones([1, 4])).dataSync()]).toEqual([12, 12]);
    expect([...step.runSync(tf.ones([2, 4])).dataSync()]).toEqual([12, 12, 12, 12]);
    expect(first.getWeights().map((w) => w.shape)).toEqual([[4, 3], [3]]);
  });

  it('through every activation, forward and backward', () => {
    const names = ['elu', 'selu', 'relu', 'relu6', 'linear', 'sigmoid', 'hardSigmoid', 'softplus', 'softsign', 'tanh', 'softmax', 'logSoftmax', 'gelu', 'gelu_new', 'mish', 'swish'] as const; // prettier-ignore
    const { classNameMap } = (tf.serialization.SerializationMap as unknown as { getMap(): { classNameMap: object } }).getMap();
    expect(Object.keys(classNameMap)).toEqual(expect.arrayContaining([...names]));
    const x = tf.input({ shape: [6] });
    const outputs = names.map((name) => l.activation({ activation: name as 'elu' }).apply(x) as Symbolic);
    const model = tf.model({ inputs: x, outputs: l.concatenate().apply(outputs) as Symbolic });
    const f = (v: tf.Tensor): tf.Tensor => (model.apply(v) as tf.Tensor).mul(tf.range(0, 96)).sum();
    tf.tidy(() => agreeWithEager(model, (v) => [model.apply(v!) as tf.Tensor, tf.grad(f)(v!)], [input([4, 6], undefined, [-4, 4])]));
  });
});
