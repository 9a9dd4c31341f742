/** Reverse accumulation over a piece of tfjs's tape, for functions of several results. */
import * as tf from '#tf';
import type { TapeNode } from './engine.js';

/**
 * The gradients of Σ ⟨result, seed⟩ by some tensors.
 *
 * @param seeds results of the tape, each with what is fed back into it.
 * @returns one gradient per wanted tensor; undefined where the results do not depend on it.
 */
export function gradientsOf(
  tape: readonly TapeNode[],
  seeds: readonly (readonly [tf.Tensor, tf.Tensor])[],
  wanted: readonly tf.Tensor[],
): (tf.Tensor | undefined)[] {
  const reached = new Set(wanted.map((t) => t.id));
  const nodes = tape.filter((node) => {
    const on = Object.values(node.inputs).some((t) => reached.has(t.id));
    if (on) node.outputs.forEach((t) => reached.add(t.id));
    return on;
  });
  const gradients = new Map<number, tf.Tensor>();
  const accumulate = (t: tf.Tensor, dt: tf.Tensor): void => {
    const known = gradients.get(t.id);
    gradients.set(t.id, known === undefined ? dt : tf.add(known, dt));
  };
  for (const [result, seed] of seeds) accumulate(result, seed);
  for (const node of nodes.reverse()) {
    const dys = node.outputs.map((t) => gradients.get(t.id) ?? null);
    if (dys.every((dy) => dy === null)) continue;
    if (node.gradient === undefined) throw new Error(`Cannot compute gradient: gradient function not found for ${node.kernelName}.`);
    const make = node.gradient(dys);
    for (const [name, t] of Object.entries(node.inputs)) {
      if (reached.has(t.id)) accumulate(t, make[name]!());
    }
  }
  return wanted.map((t) => gradients.get(t.id));
}
