/** A function to be served: what it takes and gives, by name, and its form as an ONNX model. */
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { compile } from '../function/index.js';
import type { DType } from '../function/index.js';
import type { Tensors } from '../experiment/index.js';
import type { SignatureManifest, TensorManifest } from './manifest.js';

/** Dtype and shape of an input; the shape is fixed, the batch included. */
export interface InputSpec {
  /** Sizes of all dimensions, such as `[1, 28, 28, 1]`. */
  readonly shape: readonly number[];
  /** Element type. Default `float32`. */
  readonly dtype?: DType;
}

/** The inputs of a call, by name. */
export type ServingInputs = { readonly [name: string]: tf.Tensor };

/** A function to be served. */
export interface ServingFunction {
  /** Inputs by name. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Computes the results with tfjs's operations; it is compiled, and only reads variables. */
  readonly fn: (inputs: ServingInputs) => Tensors;
}

/** An ONNX model and its description. */
export interface ServedModel {
  readonly onnx: Uint8Array;
  readonly signature: SignatureManifest;
}

/**
 * Writes a serving function as an ONNX model with the values that variables have now.
 *
 * @param served the function and its inputs
 * @param signature name of the model and of its file
 * @param variableNames names of the weights in the model
 * @throws UsageError for inputs that are no shapes, results that are no tensors, or a function that assigns a variable
 */
export function toServedModel(served: ServingFunction, signature: string, variableNames: ReadonlyMap<tf.Variable, string>): ServedModel {
  const { inputs, fn } = served;
  if (!/^\w[\w.-]*$/.test(signature))
    throw new UsageError(`The signature "${signature}" names a file: use letters, digits, "_", "-" and "." alone.`);
  const specs = Object.entries(inputs).map(([name, spec]): TensorManifest => checked(signature, name, spec));
  let outputs: TensorManifest[] = [];
  const step = compile(
    (given: ServingInputs) => {
      const results = namedResults(signature, fn(given));
      outputs = [...results].map(([name, { dtype, shape }]) => ({ name, dtype: dtype as DType, shape }));
      return [...results.values()];
    },
    { name: signature },
  );
  const examples = Object.fromEntries(specs.map(({ name, dtype, shape }) => [name, tf.zeros([...shape], dtype)]));
  try {
    const inputNames = specs.map((spec) => spec.name);
    step.graph(examples as ServingInputs); // the names of the results are known after the trace
    const outputNames = outputs.map((output) => output.name);
    const onnx = step.toOnnxWith({ variables: 'initializers', inputNames, outputNames, variableNames }, examples as ServingInputs);
    return { onnx, signature: { file: `${signature}.onnx`, inputs: specs, outputs } };
  } finally {
    step.dispose();
    tf.dispose(examples);
  }
}

function checked(signature: string, name: string, { shape, dtype = 'float32' }: InputSpec): TensorManifest {
  if (Array.isArray(shape) && shape.every((d) => Number.isInteger(d) && d >= 0)) return { name, dtype, shape };
  throw new UsageError(
    `The input "${name}" of the signature "${signature}" has the shape [${String(shape)}]; every size must be a whole number, also the batch's. ` +
      'Write inputs: { name: { shape: [1, 128], dtype: "int32" } }.',
  );
}

/** The tensors of a result by name: the keys of a record, joined with `/`; `outputs` for a tensor, `outputs_0`, … for a list. */
function namedResults(signature: string, result: Tensors): Map<string, tf.Tensor> {
  const found = new Map<string, tf.Tensor>();
  const walk = (value: unknown, name: string): void => {
    if (value instanceof tf.Tensor) found.set(name || 'outputs', value);
    else if (Array.isArray(value)) value.forEach((part, i) => walk(part, `${name || 'outputs'}_${i}`));
    else if (typeof value === 'object' && value !== null && !(value instanceof Promise))
      for (const [key, part] of Object.entries(value)) walk(part, name ? `${name}/${key}` : key);
    else {
      const what = value instanceof Promise ? 'a promise' : value === undefined ? 'nothing' : String(value);
      throw new UsageError(`The serving function "${signature}" returned ${what}${name && ` as ${name}`}; it should return tensors.`);
    }
  };
  walk(result, '');
  if (found.size === 0) throw new UsageError(`The serving function "${signature}" returned no tensor.`);
  return found;
}
