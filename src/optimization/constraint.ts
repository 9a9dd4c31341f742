/** Constraints of weights: `kernelConstraint` and the like of a layer. */
import type * as tf from '#tf';

/** Brings a weight back to where it may be; every `tf.constraints` is one. */
interface Constraint {
  apply(weight: tf.Tensor): tf.Tensor;
}

/** The new value of a variable, brought to where the constraint of its layer allows. Variables of layers know theirs. */
export function constrained(variable: tf.Variable, value: tf.Tensor): tf.Tensor {
  const { constraint } = variable as { constraint?: Constraint };
  return constraint === undefined ? value : constraint.apply(value);
}
