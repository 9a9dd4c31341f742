/** The parts of tfjs's engine that tracing touches; they exist in every tfjs 4 but are not in its public types. */
import * as tf from '#tf';

/** What the engine knows of a data bucket. */
export interface EngineTensorInfo {
  backend: tf.KernelBackend;
  dtype: string;
  shape: number[];
  bytes: number;
}

/** One operation on tfjs's tape. */
export interface TapeNode {
  id: number;
  kernelName: string;
  inputs: Record<string, tf.Tensor>;
  outputs: tf.Tensor[];
  saved?: tf.Tensor[];
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/** tfjs's engine, as far as the compiler uses it. */
export interface Engine {
  backendName: string;
  backendInstance: tf.KernelBackend;
  registeredVariables: Record<string, tf.Variable>;
  state: {
    numBytes: number;
    numTensors: number;
    numDataBuffers: number;
    gradientDepth: number;
    kernelDepth: number;
    activeTape: TapeNode[] | null;
    nextTapeNodeId: number;
    scopeStack: unknown[];
    activeScope: unknown;
    tensorInfo: {
      get(id: object): EngineTensorInfo | undefined;
      set(id: object, info: EngineTensorInfo): void;
      has(id: object): boolean;
      delete(id: object): void;
    };
  };
  makeVariable(initialValue: tf.Tensor, trainable?: boolean, name?: string, dtype?: tf.DataType): tf.Variable;
  makeTensorFromTensorInfo(info: tf.TensorInfo, backend?: tf.KernelBackend): tf.Tensor;
  runKernel(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor | tf.Tensor[];
  startScope(name?: string): void;
  endScope(result?: unknown): void;
}

/** The engine of this process; shared by every copy of tfjs in it. */
export function engine(): Engine {
  return tf.engine() as unknown as Engine;
}

/** A data bucket of tfjs's cpu backend. */
export interface CpuData {
  values: Float32Array | Int32Array | Uint8Array;
  dtype: string;
  refCount: number;
}

/** The cpu backend as the tf bundle adapts it: `orbitCells` are buckets whose values compiled steps overwrite. */
export interface CpuBackend extends tf.KernelBackend {
  data: { get(id: object): CpuData; has(id: object): boolean; set(id: object, data: CpuData): void };
  orbitCells: WeakSet<object>;
  makeTensorInfo(shape: number[], dtype: string, values: ArrayLike<number>): tf.TensorInfo;
}

/** The cpu backend of this process. */
export function cpuBackend(): CpuBackend {
  return tf.findBackend('cpu') as CpuBackend;
}

/** A variable whose data bucket may be exchanged, as tfjs itself does in `assign`. */
export type MutableVariable = tf.Variable & { dataId: object };
