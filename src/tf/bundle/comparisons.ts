// Comparisons and logic have no gradient: what a condition was computed from gets none through it, as in TensorFlow. As shipped, tfjs
// ends in "gradient function not found for LessEqual" where a loss chooses by its own values.
import { engine } from '@tensorflow/tfjs-core';

const names = 'Equal NotEqual Greater Less LessEqual LogicalAnd LogicalOr LogicalNot';
// GreaterEqual has one that is 0.
const withoutGradient = new Set(names.split(' '));

interface Recorder {
  addTapeNode(this: unknown, kernelName: string, ...rest: unknown[]): void;
}

/** Leaves comparisons and logic out of what gradients are computed from. */
export function installComparisons(): void {
  const recorder = Object.getPrototypeOf(engine()) as Recorder;
  const { addTapeNode } = recorder;
  recorder.addTapeNode = function (kernelName, ...rest) {
    if (!withoutGradient.has(kernelName)) addTapeNode.call(this, kernelName, ...rest);
  };
}
