import * as tf from '#tf';

/** factor · ‖a‖/‖b‖, and 1 where one of the norms is 0. */
export function trustRatio(a: tf.Tensor, b: tf.Tensor, factor = 1): tf.Scalar {
  const [normA, normB] = [norm(a), norm(b)];
  const ratio = tf.div(factor === 1 ? normA : tf.mul(normA, factor), normB);
  return tf.where(tf.greater(tf.minimum(normA, normB), 0), ratio, tf.scalar(1)) as tf.Scalar;
}

function norm(x: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.sum(tf.square(x)));
}
