// A user's program over orbit-ts/tf, compiled without the DOM library, Node's types or skipLibCheck.
import * as tf from 'orbit-ts/tf';

const x: tf.Tensor2D = tf.tensor2d([1, 2, 3, 4], [2, 2]);
const hidden: tf.Tensor = x
  .add(1)
  .matMul(tf.ones([2, 3]))
  .relu()
  .sum(0);
const flat: tf.Tensor1D = hidden.as1D();
const model: tf.Sequential = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2], activation: 'relu' })] });
const weights: tf.Variable[] = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
const optimizer: tf.AdamOptimizer = tf.train.adam(1e-3);
const loss: tf.Scalar | null = optimizer.minimize(
  () => tf.losses.meanSquaredError(x, model.apply(x) as tf.Tensor) as tf.Scalar,
  true,
  weights,
);
const random: tf.Tensor = tf.randomNormal([2], 0, 1, 'float32', 7);
const value: Float32Array | Int32Array | Uint8Array = flat.dataSync();

class Doubled extends tf.layers.Layer {
  static className = 'Doubled';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, 2);
  }
}
tf.serialization.registerClass(Doubled);

// @ts-expect-error a tensor is no string
const wrong: string = x.add(1);

export { Doubled, loss, random, value, wrong };
