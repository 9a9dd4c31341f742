// Inputs that every model of the benchmark shares with its peers: normal numbers, labels 0..9 in turn.
import * as tf from 'orbit-ts/tf';

/** Labels 0, 1, … 9, 0, … as int32 [n]. */
export function labels(n) {
  return tf.tensor1d(
    Int32Array.from({ length: n }, (_, i) => i % 10),
    'int32',
  );
}

/** Random token numbers below `vocabulary` as int32. */
export function tokens(shape, vocabulary) {
  return tf.randomUniform(shape, 0, vocabulary, 'int32');
}

/** A trainable variable: normal numbers, by default scaled for a layer whose fan-in is all dimensions but the last. */
export function weight(shape, scale = 1 / Math.sqrt(shape.slice(0, -1).reduce((n, d) => n * d, 1))) {
  return tf.variable(tf.randomNormal(shape, 0, scale));
}

/** Forward pass and variables of a layers model in training mode. */
export function fromLayers(model) {
  return { forward: (x) => model.apply(x, { training: true }), variables: model.trainableWeights.map((w) => w.read()) };
}
