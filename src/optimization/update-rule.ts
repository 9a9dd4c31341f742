import type * as tf from '#tf';
import type { SlotSpec } from './state.js';

/** The tensors of one variable's slots, by slot name. */
export type Slots = Readonly<Record<string, tf.Tensor>>;

/** What an update rule returns: the new variable and the new slots. */
export interface Updated {
  /** The new value of the variable. */
  readonly parameter: tf.Tensor;
  /** The new values of its slots. */
  readonly slots: Slots;
}

/**
 * An optimizer's mathematics, free of state: the formula of a paper as a function of tensors. `Step` holds the scalars that
 * all variables share in one update.
 */
export interface UpdateRule<Step = tf.Scalar> {
  /**
   * Whether rows of a table that a batch did not look up stay as they are, with their slots. Default false: a gradient of 0 is
   * a gradient, so that momentum goes on moving them.
   */
  readonly skipsUntouchedRows?: boolean;
  /** The slots that a variable of this shape and object path needs. */
  slots(shape: readonly number[], path: string): Readonly<Record<string, SlotSpec>>;
  /** Computes the shared scalars from the learning rate (float32) and the number of updates done before (int32). */
  step(learningRate: tf.Scalar, iterations: tf.Scalar): Step;
  /** One variable's update. `path` is its object path, for rules that treat some variables differently. */
  update(parameter: tf.Tensor, gradient: tf.Tensor, slots: Slots, step: Step, path: string): Updated;
}
