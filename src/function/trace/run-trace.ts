/** Runs a function once under the tracing backend and returns the program it described. */
import * as tf from '#tf';
import { recurrence, stepRandom } from '#tf';
import { TraceError } from '../../errors.js';
import { isDType, type TensorSpec } from '../dtype.js';
import { makeValue, type Assignment, type Graph, type Value } from '../graph/ir.js';
import { initScope } from '../init-scope.js';
import { traceBackend, traceBackendName } from './backend.js';
import { engine, type MutableVariable } from './engine.js';
import { evaluate } from './evaluate.js';
import { explained } from './library-errors.js';
import { FRAMES } from './origin.js';
import { rollIn } from './roll.js';
import { nameScope, watchScopes } from './scope.js';
import { Trace, type TracedSummary } from './trace.js';

/** A function over tensors, as the tracer calls it: it gets the traced inputs and returns output tensors. */
export type TracedFunction = (inputs: tf.Tensor[]) => tf.Tensor[];

/** What a trace gives. */
export interface TraceResult {
  readonly graph: Graph;
  /** Constants that the host wrote during the trace, in order. */
  readonly hostConstants: readonly Value[];
  /** Variables made during the trace. */
  readonly created: readonly tf.Variable[];
  /** tfjs optimizers that applied gradients. */
  readonly optimizers: ReadonlySet<object>;
  /** Summaries that the function recorded. */
  readonly summaries: readonly TracedSummary[];
}

/** Options of `runTrace`. */
export interface TraceOptions {
  readonly name: string;
  readonly specs: readonly TensorSpec[];
  /** False once the function has been traced before: variables may only be made in the first trace. */
  readonly mayCreateVariables: boolean;
  /** Whether calls note the line of user code that made them, which costs time. Default true. */
  readonly lines?: boolean;
  /** False unrolls recurrent layers, as tfjs does. Default true. */
  readonly rollLoops?: boolean;
}

/**
 * Traces `f`. tfjs's active backend, scopes, tape, memory counters and every variable are as before afterwards, also when
 * `f` throws; variables that `f` made keep their initial values.
 */
export function runTrace(f: TracedFunction, options: TraceOptions): TraceResult {
  const e = engine();
  const backend = traceBackend();
  if (backend.trace !== undefined) {
    throw new TraceError(
      `The compiled function "${options.name}" was called while "${backend.trace.name}" is being traced. Call the plain function inside it instead.`,
    );
  }
  const trace = new Trace(backend, options.name, options.lines);
  const entered = new Map<tf.Variable, { dataId: object; start: Value }>();
  const created: tf.Variable[] = [];
  const pending: tf.Variable[] = []; // made in an initScope that has not ended yet
  const saved = { ...e.state };
  const depth = e.state.scopeStack.length;
  const { backendName, backendInstance } = e;
  stepRandom.state(); // exists before the trace, so that the trace can assign it
  const enter = (v: tf.Variable): void => {
    if (isDType(v.dtype)) entered.set(v, trace.enterVariable(v));
  };
  const makeVariable = e.makeVariable;
  e.makeVariable = (initialValue, trainable, name, dtype) => {
    if (!options.mayCreateVariables) {
      throw trace.error(
        'variable',
        `${described(name, initialValue)} is made in a later call of the function. Variables may only be made in its first call: make them once, outside or behind a check.`,
      );
    }
    const symbolic = trace.find(initialValue.dataId as object);
    const value = symbolic === undefined ? undefined : evaluate(symbolic, 'state', (v) => entered.get(v)?.dataId ?? (v.dataId as object));
    if (symbolic !== undefined && value === undefined) {
      throw trace.error(
        'variable',
        `${described(name, initialValue)} has an initial value that depends on the function's inputs. Give it a value of its own, then assign it.`,
      );
    }
    const variable = initScope(() => {
      if (value === undefined) return makeVariable.call(e, initialValue, trainable, name, dtype);
      const initial = tf.tensor(value, initialValue.shape, initialValue.dtype as 'float32');
      const made = makeVariable.call(e, initial, trainable, name, dtype);
      initial.dispose();
      return made;
    });
    created.push(variable);
    if (e.backendInstance === backend) enter(variable);
    else pending.push(variable);
    return variable;
  };
  Object.values(e.registeredVariables).forEach(enter);
  stepRandom.dataId = entered.get(stepRandom.state())!.dataId;
  const unwatch = watchOptimizers(trace.optimizers);
  const unwatchScopes = watchScopes();
  backend.trace = trace;
  backend.leaveInitScope = () => pending.splice(0).forEach(enter);
  e.backendName = traceBackendName();
  e.backendInstance = backend;
  e.state.gradientDepth = 0;
  e.state.kernelDepth = 0;
  stepRandom.call = 0;
  if (options.rollLoops !== false) recurrence.roll = rollIn(trace);
  e.startScope('trace');
  try {
    const inputValues = options.specs.map((spec, index) => makeValue(spec, { kind: 'input', index }));
    const outputs = runOrFail(trace, () => f(inputValues.map((v) => trace.tensor(v))));
    if (stepRandom.call > 0) advanceRandomState(trace);
    const valueOf = (t: tf.Tensor): Value => {
      const direct = trace.find(t.dataId as object);
      // A tensor from outside is handed out as it is now: an identity makes it a hidden input.
      return direct ?? trace.find((tf.engine().runKernel('Identity', { x: t }) as tf.Tensor).dataId as object)!;
    };
    const outputValues = outputs.map(valueOf);
    const assignments: Assignment[] = [];
    for (const [variable, { start }] of entered) {
      if (variable.isDisposed) continue;
      const value = trace.find(variable.dataId as object);
      if (value === undefined) {
        const outside = valueOf(variable);
        assignments.push({ variable, value: outside });
      } else if (value !== start) assignments.push({ variable, value });
    }
    return {
      graph: { name: options.name, inputs: inputValues, calls: trace.calls, outputs: outputValues, assignments },
      hostConstants: trace.hostConstants,
      created,
      optimizers: trace.optimizers,
      summaries: trace.summaries,
    };
  } finally {
    unwatch();
    unwatchScopes();
    recurrence.roll = null;
    stepRandom.call = -1;
    stepRandom.dataId = null;
    while (e.state.scopeStack.length > depth + 1) e.endScope();
    e.endScope();
    delete (e as Partial<Pick<typeof e, 'makeVariable'>>).makeVariable;
    backend.trace = undefined;
    e.backendName = backendName;
    e.backendInstance = backendInstance;
    for (const [variable, { dataId }] of entered) {
      if (trace.find(variable.dataId as object) !== undefined) e.state.tensorInfo.delete(variable.dataId as object);
      (variable as MutableVariable).dataId = dataId;
    }
    const bytes = created.reduce((n, v) => n + v.size * (v.dtype === 'bool' ? 1 : 4), 0);
    Object.assign(e.state, {
      gradientDepth: saved.gradientDepth,
      kernelDepth: saved.kernelDepth,
      activeTape: saved.activeTape,
      numTensors: saved.numTensors + created.length,
      numBytes: saved.numBytes + bytes,
      numDataBuffers: saved.numDataBuffers + created.length,
    });
  }
}

/** What went wrong in an asynchronous read is the cause of whatever followed. */
function runOrFail<T>(trace: Trace, f: () => T): T {
  const undo = refuseNumbers(trace);
  const frames = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(frames, FRAMES); // errors of tfjs come from far below the user's line
  try {
    return f();
  } catch (error) {
    throw explained(error, trace);
  } finally {
    Error.stackTraceLimit = frames;
    undo();
    if (trace.failure !== undefined) throw trace.failure; // in the place of the error that came of it
  }
}

/** A variable as a message names it. */
function described(name: string | undefined, { shape }: tf.Tensor): string {
  return name ? `The variable "${name}"` : `A variable without a name, of shape [${shape.join(', ')}],`;
}

/** Makes `loss > 0` and `loss + 1` errors, which would silently compare and add NaN; undoes itself when called back. */
function refuseNumbers(trace: Trace): () => void {
  const prototype = tf.Tensor.prototype as unknown as Record<symbol, unknown>;
  Object.defineProperty(prototype, Symbol.toPrimitive, {
    configurable: true,
    value(this: tf.Tensor, hint: string): string {
      if (hint === 'string') return this.toString();
      throw trace.error(
        'valueOf',
        'A tensor was used as a number (compared, added or multiplied with an operator of JavaScript) while its function was traced. ' +
          'Use the ops: x.greater(0), x.add(1), tf.where(condition, a, b). A choice that JavaScript makes is made once, when the function is traced.',
      );
    },
  });
  return () => delete prototype[Symbol.toPrimitive];
}

/** Adds to the program what an eager step does at its end: the generator's counter goes up by one. */
function advanceRandomState(trace: Trace): void {
  const state = stepRandom.state();
  tf.tidy(() => state.assign(tf.add(state, trace.tensor(trace.constant(Int32Array.of(0, 1), [2], 'int32')) as tf.Tensor1D) as tf.Tensor1D));
}

/** Notes which of tfjs's own optimizers apply gradients; undoes itself when called back. */
function watchOptimizers(seen: Set<object>): () => void {
  const classes = [
    tf.AdadeltaOptimizer,
    tf.AdagradOptimizer,
    tf.AdamOptimizer,
    tf.AdamaxOptimizer,
    tf.MomentumOptimizer,
    tf.RMSPropOptimizer,
    tf.SGDOptimizer,
  ];
  const undo = classes.map(({ prototype }) => {
    const own = Object.getOwnPropertyDescriptor(prototype, 'applyGradients');
    const apply = prototype.applyGradients as (this: object, gradients: unknown) => void;
    prototype.applyGradients = function (this: tf.Optimizer, gradients: Parameters<tf.Optimizer['applyGradients']>[0]) {
      seen.add(this);
      nameScope('optimizer', () => apply.call(this, gradients), { atCaller: true });
    };
    return () => {
      if (own === undefined) delete (prototype as Partial<tf.Optimizer>).applyGradients;
      else Object.defineProperty(prototype, 'applyGradients', own);
    };
  });
  return () => undo.reverse().forEach((restore) => restore());
}
