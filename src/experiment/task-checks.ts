/** Checks of what a user's task returns, and words for the errors that tfjs throws inside it. */
import * as tf from '#tf';
import { DataError, OrbitError, TraceError, UsageError } from '../errors.js';
import { Metric } from '../metrics/index.js';
import type { Model, Tensors } from './model.js';
import type { Task } from './task.js';

/** Data that can be walked. */
export type Walkable = Iterable<unknown> | AsyncIterable<unknown>;

const forgotten = 'Is a `return` missing?';

/** The model of `buildModel`. @throws UsageError when it is none, or was compiled with a loss of its own */
export function requireModel(model: unknown, task: Task): Model {
  if (model instanceof tf.LayersModel && (model.loss as unknown) !== undefined)
    throw new UsageError(
      `${task.name}.buildModel returned a model that was compiled with model.compile(...); its loss and metrics would be ignored. Leave compile out: losses ` +
        'belong to buildLosses, metrics to buildMetrics, the optimizer to trainer.optimizer_config. Of a model that was loaded make a new one: tf.model({ inputs: loaded.inputs, outputs: loaded.outputs }).',
    );
  if (typeof (model as Partial<Model> | null | undefined)?.apply === 'function') return model as Model;
  const hint = model instanceof Promise ? 'It must be synchronous: await what it needs in `initialize(model)`.' : forgotten;
  throw new UsageError(
    `${task.name}.buildModel returned ${kindOf(model)}; it should return a model, such as tf.sequential(...), or an object with apply(inputs). ${hint}`,
  );
}

/** The metrics of `buildMetrics`. @throws UsageError when they are no list of metrics with names of their own */
export function requireMetrics(metrics: unknown, task: Task, lossName: string): readonly Metric[] {
  const where = `${task.name}.buildMetrics`;
  if (metrics instanceof Promise) throw new UsageError(`${where} returned a promise; it must be synchronous.`);
  if (!Array.isArray(metrics)) {
    const hint = metrics === undefined ? forgotten : metrics instanceof Metric ? 'Write [metric].' : '';
    throw new UsageError(`${where} should return a list of metrics, but returned ${kindOf(metrics)}. ${hint}`.trimEnd());
  }
  const names = new Set([lossName]);
  for (const [i, metric] of (metrics as Metric[]).entries()) {
    if (typeof metric?.updateState !== 'function') throw new UsageError(`${where}: element ${i} is ${kindOf(metric)}, not a metric.`);
    if (names.has(metric.name))
      throw new UsageError(
        `${where}: two results would be named "${metric.name}". Give the metric another name: new ${metric.constructor.name}('...').`,
      );
    names.add(metric.name);
  }
  return metrics as Metric[];
}

/** The logs of `trainStep` or `validationStep`. @throws TraceError for a promise, UsageError when they are no dictionary */
export function requireStepLogs<L extends object>(logs: L, where: string): L {
  if (logs instanceof Promise) throw asynchronous(where, logs);
  if (typeof logs === 'object' && logs !== null && !(logs instanceof tf.Tensor)) return logs;
  throw new UsageError(
    `${where} should return its logs, such as { loss }, but returned ${kindOf(logs)}. ${logs === undefined ? forgotten : ''}`.trimEnd(),
  );
}

/** Checks that a method of a compiled step did not return a promise. @throws TraceError */
export function requireSynchronous(result: unknown, where: string): void {
  if (result instanceof Promise) throw asynchronous(where, result);
}

function asynchronous(where: string, promise: Promise<unknown>): TraceError {
  promise.catch(() => undefined); // this error is the one to hear of
  return new TraceError(
    `${where} returned a promise; it must be synchronous, because it is compiled: remove \`async\`, and await what it needs before, in buildInputs or initialize.`,
    { op: where },
  );
}

/** Checks that a loss is one number. @throws TraceError for a promise, UsageError that names the task otherwise */
export function checkLoss(loss: unknown, where: string): tf.Scalar {
  if (loss instanceof Promise) throw asynchronous(where, loss);
  if (typeof loss === 'number') return tf.scalar(loss);
  if (!(loss instanceof tf.Tensor))
    throw new UsageError(
      `${where} must return a scalar tensor, but it returned ${kindOf(loss)}. ${loss === undefined ? forgotten : ''}`.trimEnd(),
    );
  if (loss.rank !== 0)
    throw new UsageError(`${where} must return a scalar, but its result has shape [${loss.shape.join(', ')}]; take tf.mean(...) of it.`);
  return loss as tf.Scalar;
}

/**
 * What `buildInputs` gave, if it can be walked and is not empty.
 * @throws DataError that names the task
 */
export function requireWalkable(opened: unknown, task: Task): Walkable {
  const where = `${task.name}.buildInputs`;
  const isObject = typeof opened === 'object' && opened !== null;
  if (!isObject || !(Symbol.iterator in opened || Symbol.asyncIterator in opened)) {
    throw new DataError(
      `${where} should return a dataset: something iterable or async-iterable, or a function that returns one. It returned ${kindOf(opened)}. ` +
        (opened === undefined ? forgotten : 'fromArrays([...]).batch(n) makes one of arrays.'),
    );
  }
  if ((opened as { length?: unknown }).length === 0) {
    throw new DataError(
      `${where} returned data without a single batch. Is global_batch_size greater than the number of examples, and short batches are dropped?`,
    );
  }
  return opened as Walkable;
}

/** What a layer of one input says of a list or a record. */
const ONE_INPUT = /Expected exactly 1 Shape|dtype of the feed \(undefined\)/;
const oneInput =
  '. Each part of a list or record is an input of its own; numbers that belong together are one array in the data: Float32Array.of(a, b).';

/**
 * Runs a part of a step. An error that tfjs itself throws, which knows neither the task nor the batch, becomes one that
 * names both; any other error passes.
 */
export function inTask<R>(where: string, given: { readonly [name: string]: Tensors }, run: () => R): R {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof OrbitError || !isOfTfjs(error)) throw error;
    requireTensors(given, where);
    const tensors = Object.entries(given).map(([name, value]) => `${name} ${describeTensors(value)}`);
    const message = error.message.replace(/\s+/g, ' ').trim();
    throw new UsageError(`${where} failed with ${tensors.join(' and ')}: ${message}${ONE_INPUT.test(message) ? oneInput : ''}`, {
      cause: error,
    });
  }
}

/** A batch of texts or plain numbers reaches the model as it is: say so rather than what came of it. */
function requireTensors(value: unknown, where: string, path = ''): void {
  if (value instanceof tf.Tensor) return;
  if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) requireTensors(part, where, path === '' ? key : `${path}.${key}`);
    return;
  }
  throw new DataError(
    `${where} got ${kindOf(value)} as ${path}, not a tensor. Batches are NDArrays, typed arrays or tensors in any nesting: turn examples into numbers and ` +
      'let the dataset batch them, such as fromArrays([...]).batch(n).',
  );
}

/** Shapes of a nesting of tensors, such as `float32[8, 2]` or `{image: float32[8, 28, 28, 1], label: int32[8]}`. */
export function describeTensors(value: unknown): string {
  if (value instanceof tf.Tensor) return `${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) return `[${value.map(describeTensors).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return kindOf(value);
  return `{${Object.entries(value)
    .map(([key, part]) => `${key}: ${describeTensors(part)}`)
    .join(', ')}}`;
}

/** Whether the error comes from the bundle of tfjs rather than from the code that calls it. */
function isOfTfjs(error: Error): boolean {
  const frame = (error.stack ?? '').split('\n').find((line) => /^\s+at /.test(line));
  return frame !== undefined && /[\\/]dist[\\/]tf[\\/]/.test(frame);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value instanceof Promise) return 'a promise';
  if (Array.isArray(value)) return `a list of ${value.length} elements`;
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value !== 'object')
    return `${typeof value === 'function' ? 'a' : 'the'} ${typeof value}${typeof value === 'function' ? '' : ` ${String(value)}`}`;
  const name = (Object.getPrototypeOf(value) as object | null)?.constructor?.name;
  return name === undefined || name === 'Object' ? `an object {${Object.keys(value).slice(0, 4).join(', ')}}` : `a ${name}`;
}
