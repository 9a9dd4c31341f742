/** One trace in progress: turns kernel calls into the calls of a graph. */
import * as tf from '#tf';
import { stepRandom } from '#tf';
import { OrbitError, TraceError } from '../../errors.js';
import { formatSpec, isDType, type DType, type TensorSpec, type TypedArray } from '../dtype.js';
import { makeCall, makeValue, type Call, type Value } from '../graph/ir.js';
import { kernelDefinition } from '../kernels/index.js';
import { unsupportedReason } from '../kernels/unsupported.js';
import { engine, type MutableVariable } from './engine.js';
import { evaluate } from './evaluate.js';
import { captureOrigin, placeText } from './origin.js';
import { currentOrigin, currentScope } from './scope.js';

type KernelResult = tf.TensorInfo | tf.TensorInfo[];

/** A tensor whose values a step records when that is due. */
export interface TracedSummary {
  readonly kind: 'scalar' | 'histogram';
  readonly name: string;
  readonly value: Value;
}

/** A trace in progress. */
export class Trace {
  /** Kernel calls so far, in order. */
  calls: Call[] = [];
  /** Constants written by the host, in order: two traces of a function must agree on them. */
  readonly hostConstants: Value[] = [];
  /** tfjs optimizers that applied gradients: their host fields guard the compiled step. */
  readonly optimizers = new Set<object>();
  /** Summaries recorded so far. */
  readonly summaries: TracedSummary[] = [];
  /** What went wrong where nothing could be thrown. */
  failure: Error | undefined;
  private readonly values = new Map<object, Value>();
  private readonly captured = new Map<object, Value>();

  /**
   * @param backend the backend that records; made tensors belong to it.
   * @param name name of the traced function, for messages.
   * @param lines whether calls note the line of user code that made them, which costs time.
   */
  constructor(
    private readonly backend: tf.KernelBackend,
    readonly name: string,
    private readonly lines = true,
  ) {}

  /** Gives a value a data bucket, through which tfjs's tensors refer to it. */
  bind(value: Value): object {
    const dataId = { id: value.id };
    this.values.set(dataId, value);
    return dataId;
  }

  /** The value of a data bucket made in this trace. */
  find(dataId: object): Value | undefined {
    return this.values.get(dataId);
  }

  /** Notes a summary of a tensor. */
  summary(kind: TracedSummary['kind'], name: string, tensor: tf.TensorInfo): void {
    this.summaries.push({ kind, name, value: this.valueOf(tensor, 'summary') });
  }

  /** A tensor for a value, tracked by tfjs's current scope. */
  tensor(value: Value): tf.Tensor {
    return engine().makeTensorFromTensorInfo({ dataId: this.bind(value), shape: [...value.shape], dtype: value.dtype }, this.backend);
  }

  /** A constant that the host wrote. */
  constant(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    const value = makeValue({ dtype, shape: [...shape] }, { kind: 'constant', data });
    this.hostConstants.push(value);
    return value;
  }

  /** Replaces a variable's bucket by a symbolic one for the time of the trace and returns what to restore. */
  enterVariable(variable: tf.Variable): { dataId: object; start: Value } {
    const dataId = variable.dataId as object;
    const start = makeValue(variable as { dtype: DType; shape: number[] }, { kind: 'variable', variable });
    this.rebind(variable, start);
    return { dataId, start };
  }

  /** Points a variable at a symbolic value. */
  private rebind(variable: tf.Variable, value: Value): void {
    const id = this.bind(value);
    engine().state.tensorInfo.set(id, { backend: this.backend, dtype: variable.dtype, shape: variable.shape, bytes: 0 });
    (variable as MutableVariable).dataId = id;
  }

  /** Records one kernel call and returns its results. */
  record(kernel: string, inputs: tf.NamedTensorInfoMap, attrs: Record<string, unknown>): KernelResult {
    const named: Record<string, Value> = {};
    for (const [name, tensor] of Object.entries(inputs)) {
      if (tensor !== undefined && tensor !== null) named[name] = this.valueOf(tensor, kernel);
    }
    if (stepRandom.kernels.has(kernel)) {
      named['state'] = this.valueOf(stepRandom.state(), kernel);
      attrs = { ...attrs, call: stepRandom.call++ };
    }
    const origin = this.lines ? currentOrigin() : { scope: currentScope() };
    const definition = kernelDefinition(kernel);
    if (definition === undefined) {
      const reason = unsupportedReason(kernel);
      throw this.error(kernel, reason ?? `The tfjs kernel ${kernel} cannot be compiled yet.`, origin.stack);
    }
    let specs: TensorSpec | TensorSpec[];
    try {
      specs = definition.infer(named, attrs);
    } catch (cause) {
      if (cause instanceof TraceError) throw cause;
      const given = Object.entries(named).map(([name, v]) => `${name}: ${formatSpec(v)}`);
      throw this.error(kernel, `${kernel}(${given.join(', ')}): ${(cause as Error).message}`, origin.stack, cause);
    }
    const call = makeCall(kernel, named, freezeAttrs(attrs), Array.isArray(specs) ? specs : [specs], origin);
    this.calls.push(call);
    const infos = call.outputs.map((v) => ({ dataId: this.bind(v), shape: [...v.shape], dtype: v.dtype }));
    return Array.isArray(specs) ? infos : infos[0]!;
  }

  /** The contents of a symbolic tensor, if the trace can know them: constants and what is computed from constants alone. */
  read(dataId: object): TypedArray {
    const value = this.values.get(dataId);
    const known = value === undefined ? undefined : evaluate(value, 'constants');
    if (known !== undefined) return known;
    throw this.error(
      'dataSync',
      'A tensor was read (dataSync, data, arraySync, array, print or similar) while its function was traced: it has no value yet. ' +
        'Return the tensor from the function and read it outside, or run eagerly (runtime.run_eagerly: true, or compile(fn, { eager: true })).',
      captureOrigin().stack,
    );
  }

  /** Records the calls that `f` makes into a list of their own. */
  nested<T>(f: () => T): { calls: Call[]; result: T } {
    const outside = this.calls;
    const calls: Call[] = (this.calls = []);
    try {
      return { calls, result: f() };
    } finally {
      this.calls = outside;
    }
  }

  /** The value of a tensor that `kernel` reads; one from outside the function becomes a hidden input. */
  valueOf(tensor: tf.TensorInfo, kernel: string): Value {
    const own = this.values.get(tensor.dataId);
    if (own !== undefined) return own;
    let value = this.captured.get(tensor.dataId);
    if (value === undefined) {
      if (!engine().state.tensorInfo.has(tensor.dataId)) {
        throw this.error(
          kernel,
          `${kernel} uses a tensor from outside the function that was disposed. Keep it (tf.keep) for as long as the function is called.`,
        );
      }
      if (!isDType(tensor.dtype)) {
        throw this.error(kernel, `${kernel} uses a tensor of dtype ${tensor.dtype}; float32, int32 and bool can be compiled.`);
      }
      value = makeValue({ dtype: tensor.dtype, shape: [...tensor.shape] }, { kind: 'captured', tensor: tensor as tf.Tensor });
      this.captured.set(tensor.dataId, value);
    }
    return value;
  }

  /** A TraceError that names the function, the kernel and the line of user code. */
  error(op: string, message: string, stack = captureOrigin().stack, cause?: unknown): OrbitError {
    return new TraceError(`${message}${placeText(this.name, { scope: currentScope(), stack })}`, { op, cause });
  }
}

/** tfjs reuses and mutates some attribute objects after the call. */
function freezeAttrs(attrs: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attrs)) copy[name] = Array.isArray(value) ? value.slice() : value;
  return copy;
}
