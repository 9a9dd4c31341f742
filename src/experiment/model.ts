/** What the trainer needs of a model: a tfjs-layers model, or anything that can be applied and has variables. */
import * as tf from '#tf';
import { variablePaths } from '../tf/object-paths.js';

/** Tensors in any nesting of arrays and records: features, labels, outputs. */
export type Tensors = tf.Tensor | Tensors[] | { [name: string]: Tensors };

/**
 * A model. Every `tf.LayersModel` is one. A model of your own has `apply` and variables: those in `trainableVariables`,
 * else all `tf.Variable`s found in its fields that are marked as trainable.
 */
export interface Model {
  /** Computes outputs. `training` switches dropout, batch statistics and the like. */
  apply(inputs: tf.Tensor | tf.Tensor[], options?: { training?: boolean }): unknown;
  /** The variables that training changes, where the model wants to say so itself. */
  readonly trainableVariables?: readonly tf.Variable[];
  /** Losses of the model itself, such as weight regularisation; computed anew at each call. */
  calculateLosses?(): tf.Scalar[];
  /** Further objects to save in checkpoints, by name. */
  readonly checkpointItems?: { readonly [name: string]: object };
}

/** Applies a model to features. */
export function applyModel(model: Model, features: Tensors, training: boolean): Tensors {
  return model.apply(features as tf.Tensor, { training }) as Tensors;
}

/** The variables that training changes, in a fixed order. */
export function trainableVariables(model: Model): tf.Variable[] {
  if (model.trainableVariables !== undefined) return [...model.trainableVariables];
  const { trainableWeights } = model as Partial<tf.LayersModel>;
  if (Array.isArray(trainableWeights)) return trainableWeights.map((w) => w.read() as tf.Variable);
  return [...variablePaths(model).keys()].map((v) => v as unknown as tf.Variable).filter((v) => v.trainable);
}

/** Losses of the model itself; empty for a model without. */
export function modelLosses(model: Model): tf.Scalar[] {
  return model.calculateLosses?.() ?? [];
}

/** Applies `fn` to every tensor of a nesting. */
export function eachTensor(tensors: Tensors, fn: (tensor: tf.Tensor) => void): void {
  if (tensors instanceof tf.Tensor) fn(tensors);
  else for (const part of Array.isArray(tensors) ? tensors : Object.values(tensors)) eachTensor(part, fn);
}

/**
 * Features and labels of a batch: a pair is split, anything else is both.
 */
export function splitInputs(inputs: Tensors): { features: Tensors; labels: Tensors } {
  if (Array.isArray(inputs) && inputs.length === 2) return { features: inputs[0]!, labels: inputs[1]! };
  return { features: inputs, labels: inputs };
}
