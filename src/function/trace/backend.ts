/** The tfjs backend that records kernels instead of computing them. */
import * as tf from '#tf';
import { TraceError } from '../../errors.js';
import { isDType, sizeOf, type TypedArray } from '../dtype.js';
import { constantOf } from '../graph/uniform.js';
import { kernelDefinitions, unsupportedKernels } from '../kernels/index.js';
import type { Trace } from './trace.js';

/** Name under which the backend is registered; never the active backend outside a trace. */
export const TRACE_BACKEND = 'orbit-trace';

/** Reading, writing and disposing of symbolic tensors. There is one; `trace` is the trace in progress. */
export class TraceBackend extends tf.KernelBackend {
  /** The trace in progress, or undefined. */
  trace: Trace | undefined;

  /** Called by `initScope` when it ends inside the trace. */
  leaveInitScope: () => void = () => {};

  /** The trace in progress. */
  active(): Trace {
    if (this.trace === undefined) {
      throw new TraceError(
        'A tensor that was made while a function was traced is used outside that function. Return it from the function, or keep it in a tf.Variable.',
      );
    }
    return this.trace;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const trace = this.active();
    if (!isDType(dtype)) {
      throw new TraceError(`A compiled function cannot make tensors of dtype ${dtype}; float32, int32 and bool can be compiled.`, {
        op: 'tensor',
      });
    }
    const data = constantOf(values as unknown as ArrayLike<number>, dtype, sizeOf(shape));
    return trace.bind(trace.constant(data, shape, dtype));
  }

  override readSync(dataId: object): TypedArray {
    return this.active().read(dataId);
  }

  /** Fails the trace instead of a promise that the function may not wait for. */
  override read(dataId: object): Promise<TypedArray> {
    const trace = this.active();
    try {
      return Promise.resolve(trace.read(dataId));
    } catch (error) {
      trace.failure ??= error as Error;
      return new Promise(() => {});
    }
  }

  override numDataIds(): number {
    return 0;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  decRef(): void {}

  override disposeData(): boolean {
    return false; // symbolic values live as long as their trace
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}
}

let backend: TraceBackend | undefined;

/** The backend, registered with all kernels at the first call. The active backend stays as it is. */
export function traceBackend(): TraceBackend {
  if (backend !== undefined) return backend;
  const made = new TraceBackend();
  const name = uniqueBackendName();
  tf.registerBackend(name, () => made, 0);
  (tf.engine() as unknown as { initializeBackend(name: string): void }).initializeBackend(name);
  const compiled = new Set(kernelDefinitions().map((k) => k.kernel));
  const refused = unsupportedKernels().map(([kernel]) => kernel);
  for (const kernelName of new Set([...compiled, ...refused, ...tf.getKernelsForBackend('cpu').map((k) => k.kernelName)])) {
    tf.registerKernel({
      kernelName,
      backendName: name,
      kernelFunc: ({ inputs, attrs }) => made.active().record(kernelName, inputs, (attrs ?? {}) as Record<string, unknown>),
    });
  }
  backend = made;
  backendName = name;
  return made;
}

let backendName = TRACE_BACKEND;

/** The name the backend got: two copies of orbit-ts in one process share tfjs's registry. */
export function traceBackendName(): string {
  return backendName;
}

function uniqueBackendName(): string {
  const taken = tf.engine().backendNames();
  let name = TRACE_BACKEND;
  for (let n = 2; taken.includes(name); n++) name = `${TRACE_BACKEND}-${n}`;
  return name;
}
