import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { TraceError } from '../../errors.js';
import { compile } from '../index.js';

/** The error of a compiled function. */
function errorOf(f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], x: tf.Tensor): unknown {
  try {
    compile(f, { name: 'my_step' }).runSync(x);
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The error of a compiled training step of a model. */
function trainingError(layers: tf.layers.Layer[], shape: number[]): unknown {
  const model = tf.sequential({ layers: [...layers, tf.layers.flatten(), tf.layers.dense({ units: 1 })] });
  const loss = (x: tf.Tensor): tf.Scalar => (model.apply(x, { training: true }) as tf.Tensor).square().mean();
  return errorOf((x) => Object.values(tf.variableGrads(() => loss(x)).grads), tf.ones([2, ...shape]));
}

const { layers } = tf;
const cases: [string, string, () => tf.layers.Layer[], number[]][] = [
  ['a resizing layer', 'tf.image.resizeBilinear()', () => [layers.resizing({ height: 5, width: 5, inputShape: [4, 4, 3] })], [4, 4, 3]],
  [
    'causal padding',
    'tf.pad(x, [[0, 0], [kernelSize - 1, 0], [0, 0]])',
    () => [layers.conv1d({ filters: 2, kernelSize: 3, padding: 'causal', inputShape: [6, 2] })],
    [6, 2],
  ],
  [
    'the gradient of a dilated convolution',
    'dilations 1, 2',
    () => [layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 2, inputShape: [8, 2] })],
    [8, 2],
  ],
  [
    'the gradient of a transposed 3-D convolution',
    'tf.layers.conv3d()',
    () => [
      layers.conv3d({ filters: 2, kernelSize: 2, inputShape: [3, 3, 3, 1] }),
      layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 1 }),
    ],
    [3, 3, 3, 1],
  ],
  [
    'the gradient of batch normalization along another axis',
    'norm). Move the axis to the end with tf.layers.permute()',
    () => [layers.conv1d({ filters: 2, kernelSize: 3, inputShape: [6, 3] }), layers.batchNormalization({ axis: 1, name: 'norm' })],
    [6, 3],
  ],
];

describe('an error of TensorFlow.js inside a compiled function', () => {
  it.each(cases)('names the function, the line and a way round: %s', (_, advice, make, shape) => {
    const error = trainingError(make(), shape) as TraceError;
    expect(error).toBeInstanceOf(TraceError);
    expect(error.message).toContain(advice);
    expect(error.message).toMatch(/in the compiled function "my_step".* at .*library-errors\.test\.ts:/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('names them where a tensor is used after it was disposed', () => {
    const disposed = (x: tf.Tensor): tf.Tensor => {
      const doubled = x.mul(2);
      doubled.dispose();
      return doubled.add(1);
    };
    const tidied = (x: tf.Tensor): tf.Tensor => {
      let doubled = x;
      tf.tidy(() => {
        doubled = x.mul(2);
      });
      return doubled.add(1);
    };
    for (const f of [disposed, tidied]) {
      const { message } = errorOf(f, tf.ones([2])) as TraceError;
      expect(message).toMatch(/used after it was disposed.*tf\.tidy\(\).*\n.*"my_step", at .*library-errors\.test\.ts:/);
    }
  });

  it('names them, and the kernel, where there is no gradient', () => {
    const error = errorOf((x) => tf.grad((y) => tf.cumprod(y).sum())(x), tf.ones([2])) as TraceError;
    expect(error.message).toMatch(/no gradient of Cumprod\..*\n.*"my_step", at .*library-errors\.test\.ts:/);
  });

  it('leaves errors of the function itself alone', () => {
    const own = new Error('my own');
    expect(
      errorOf(
        () => {
          throw own;
        },
        tf.ones([2]),
      ),
    ).toBe(own);
  });
});

it('the way round dilated convolutions gives their numbers', () => {
  const x = tf.randomNormal([2, 12, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
  const filter = tf.randomNormal([3, 3, 4], 0, 1, 'float32', 2) as tf.Tensor3D;
  const around = compile(() => tf.batchToSpaceND(tf.conv1d(tf.spaceToBatchND(x, [2], [[0, 0]]), filter, 1, 'valid'), [2], [[0, 0]]));
  tf.test_util.expectArraysClose(around.runSync().dataSync(), tf.conv1d(x, filter, 1, 'valid', 'NWC', 2).dataSync(), 1e-5);
});
