/** What a model offers to those who use it: functions with named inputs. */
import type * as tf from '#tf';
import { UsageError } from '../errors.js';
import { didYouMean, nearestName } from '../config/index.js';
import type { Model, Task, Tensors } from '../experiment/index.js';
import type { Exportable, ExportOptions } from '../orbit/index.js';
import { exportModel } from './export-model.js';
import type { InputSpec, ServingFunction, ServingInputs } from './serving-function.js';

/** Parts of an {@link ExportModule}. */
export interface ExportModuleOptions {
  /** The model. */
  model: Model;
  /** The task that it was trained for: its `inferenceStep` is served. Default: the model itself, outside training. */
  task?: Pick<Task, 'inferenceStep'> | null;
  /** The experiment's config or any other parameters, for subclasses. Default null. */
  params?: unknown;
  /** Inputs by name, where they are not the model's own: before `preprocessor`, or of a model that is not of layers. */
  inputs?: Readonly<Record<string, InputSpec>> | null;
  /** Examples in a batch, where the inputs are the model's own. Default 1. */
  batchSize?: number;
  /** Computes the outputs from what `preprocessor` gave. Default: the task's, else the model's. */
  inferenceStep?: ((features: Tensors, model: Model) => Tensors) | null;
  /** Turns the inputs into the model's features. Default: the one input alone; several in the order of a layers model's inputs, else by name. */
  preprocessor?: ((inputs: ServingInputs) => Tensors) | null;
  /** Turns outputs into results, such as `(logits) => ({ probabilities: tf.softmax(logits) })`. Default: none. */
  postprocessor?: ((outputs: Tensors) => Tensors) | null;
}

/**
 * A model with functions to be served. As it is it serves the model's inference under the key `serve`; a subclass overrides `serve`,
 * or `servingFunctions` for more than one.
 *
 * ```ts
 * const module = new ExportModule({ model, task, postprocessor: (logits) => ({ probabilities: tf.softmax(logits as tf.Tensor) }) });
 * const directory = await exportModel({ module, directory: 'exports', checkpointPath: 'runs/mnist/best' });
 * ```
 */
export class ExportModule implements Exportable {
  /** The model. */
  readonly model: Model;
  /** The parameters that were given; null without. */
  readonly params: unknown;
  readonly #options: ExportModuleOptions;

  constructor(options: ExportModuleOptions) {
    if (typeof options.model?.apply !== 'function') throw new UsageError('ExportModule needs a model: an object with apply(inputs).');
    const { batchSize = 1 } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new UsageError(`ExportModule: batchSize (${batchSize}) must be a whole number from 1.`);
    this.model = options.model;
    this.params = options.params ?? null;
    this.#options = options;
  }

  /** Inputs of `serve`, by name: those given, else the model's own (`inputs` where there is one). @throws UsageError when they are not known */
  get inputs(): Readonly<Record<string, InputSpec>> {
    if (this.#options.inputs) return this.#options.inputs;
    const specs = this.#modelInputs();
    if (specs === null)
      throw new UsageError('ExportModule: the model does not tell its inputs. Give them: inputs: { image: { shape: [1, 28, 28, 1] } }.');
    const { batchSize = 1 } = this.#options;
    const named = specs.map(({ name, shape, dtype }): [string, InputSpec] => {
      const [, ...rest] = shape;
      if (rest.includes(null))
        throw new UsageError(
          `ExportModule: the model's input ${name} has the shape [${shape.join(', ')}], of which more than the batch is open. ` +
            `Give the sizes to export: inputs: { ${name}: { shape: [${[batchSize, ...rest.map((d) => d ?? 128)].join(', ')}] } }.`,
        );
      return [specs.length === 1 ? 'inputs' : name, { shape: [batchSize, ...(rest as number[])], dtype: dtype as 'float32' }];
    });
    return Object.fromEntries(named);
  }

  /** Results for inputs: preprocessing, inference, postprocessing. It is compiled: synchronous, with tfjs's operations. */
  serve(inputs: ServingInputs): Tensors {
    const { task, preprocessor, postprocessor, inferenceStep } = this.#options;
    const features = preprocessor ? preprocessor(inputs) : this.#features(inputs);
    const outputs = inferenceStep
      ? inferenceStep(features, this.model)
      : task
        ? task.inferenceStep(features, this.model)
        : (this.model.apply(features as tf.Tensor, { training: false }) as Tensors);
    return postprocessor ? postprocessor(outputs) : outputs;
  }

  /** The functions that can be exported, by key. Override to offer more than `serve`. */
  servingFunctions(): Readonly<Record<string, ServingFunction>> {
    return { serve: { inputs: this.inputs, fn: (inputs) => this.serve(inputs) } };
  }

  /**
   * The functions to be exported, by the name of their signature.
   * @param functionKeys name of the signature for each key of `servingFunctions`
   * @throws UsageError for an unknown key
   */
  getInferenceSignatures(functionKeys: Readonly<Record<string, string>>): Record<string, ServingFunction> {
    const functions = this.servingFunctions();
    const known = Object.keys(functions);
    const signatures: Record<string, ServingFunction> = {};
    for (const [key, signature] of Object.entries(functionKeys)) {
      const found = Object.hasOwn(functions, key) ? functions[key] : undefined;
      if (found === undefined)
        throw new UsageError(
          `The module has no function "${key}" to export.${didYouMean(nearestName(key, known))} It has: ${known.join(', ')}.`,
        );
      if (Object.hasOwn(signatures, signature)) throw new UsageError(`Two functions would have the signature "${signature}".`);
      signatures[signature] = found;
    }
    return signatures;
  }

  /**
   * Writes the export to exactly this directory: what {@link ExportSavedModel} and {@link ExportingCheckpointManager} call.
   * @param options `signatures`: keys of the functions, as in `exportModel`. Default `['serve']`.
   */
  async export(directory: string, options: ExportOptions = {}): Promise<void> {
    const functionKeys = (options.signatures ?? null) as readonly string[] | null;
    await exportModel({ module: this, directory, functionKeys, timestamped: false });
  }

  #features(inputs: ServingInputs): Tensors {
    const tensors = Object.values(inputs);
    if (tensors.length === 1) return tensors[0]!;
    const specs = this.#modelInputs();
    const inOrder = specs?.map(({ name }) => inputs[name]);
    return (inOrder?.every((t) => t !== undefined) ? inOrder : { ...inputs }) as Tensors;
  }

  #modelInputs(): readonly { name: string; shape: (number | null)[]; dtype: string }[] | null {
    const { inputs, inputNames } = this.model as Partial<tf.LayersModel>;
    if (!Array.isArray(inputs) || inputs.length === 0) return null;
    return inputs.map(({ shape, dtype, name }, i) => ({ name: inputNames?.[i] ?? name, shape, dtype }));
  }
}
