/** Whether a model's variables are numbers still. */
import * as tf from '#tf';
import { variablePaths } from '../tf/object-paths.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';
import type { Model } from './model.js';

/** Looks for NaN and infinities in the variables of a model: one compiled pass over them, to be made before they are saved. */
export class FiniteCheck {
  readonly #model: Model;
  #sum: CompiledStep<[], tf.Tensor> | null = null;

  constructor(model: Model) {
    this.#model = model;
  }

  /** True when all are finite. */
  async allFinite(): Promise<boolean> {
    const variables = [...variablePaths(this.#model).keys()].map((v) => v as unknown as tf.Variable).filter((v) => v.dtype === 'float32');
    if (variables.length === 0) return true;
    // 0 · x is 0 for every number, and NaN for all else.
    this.#sum ??= compileStep(() => tf.addN(variables.map((v) => tf.sum(tf.mul(v, 0)))), { name: 'all_finite', eager: false });
    const sum = await this.#sum();
    try {
      return sum.dataSync()[0] === 0;
    } finally {
      sum.dispose();
    }
  }
}
