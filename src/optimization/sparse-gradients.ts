import * as tf from '#tf';
import type { Slots, Updated } from './update-rule.js';

/** Gradients that came straight from a lookup of rows (`tf.gather`, an embedding layer). */
const fromLookups = new WeakSet<tf.Tensor>();
let isWatching = false;

/**
 * From now on marks the gradients of lookups along the first axis; the numbers stay as they are. A gradient that is added to
 * another one, as that of a table with two uses, loses the mark: it is dense in the original, too.
 */
export function watchLookups(): void {
  if (isWatching) return;
  isWatching = true;
  const config = tf.getGradient('GatherV2');
  tf.unregisterGradient('GatherV2');
  tf.registerGradient({
    ...config,
    gradFunc(dy, saved, attributes) {
      const gradients = config.gradFunc(dy as tf.Tensor, saved, attributes);
      const { axis, batchDims } = attributes as unknown as { axis: number; batchDims: number };
      if (axis !== 0 || batchDims !== 0) return gradients;
      const marked = (): tf.Tensor => {
        const gradient = gradients.x!();
        fromLookups.add(gradient);
        return gradient;
      };
      return { ...gradients, x: marked };
    },
  });
}

/** Whether a gradient came straight from a lookup. */
export function isFromLookup(gradient: tf.Tensor): boolean {
  return fromLookups.has(gradient);
}

/** Marks a gradient that is a sum of such gradients. */
export function markAsFromLookup(gradient: tf.Tensor): void {
  fromLookups.add(gradient);
}

/** An update of those rows alone that have a gradient which is not 0; the other rows and their slots stay as they are. */
export function onlyTouchedRows(updated: Updated, parameter: tf.Tensor, slots: Slots, gradient: tf.Tensor): Updated {
  const inner = gradient.shape.map((_, axis) => axis).slice(1);
  const touched = tf.notEqual(gradient, 0);
  const rows = inner.length === 0 ? touched : tf.any(touched, inner, true);
  const choose = (after: tf.Tensor, before: tf.Tensor): tf.Tensor => tf.where(rows, after, before);
  return {
    parameter: choose(updated.parameter, parameter),
    slots: Object.fromEntries(Object.entries(updated.slots).map(([name, value]) => [name, choose(value, slots[name]!)])),
  };
}
