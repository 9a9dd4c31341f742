/** Tensors that a compiled function uses from outside: inputs that no caller passes, read anew at each call. */
import type * as tf from '#tf';
import { TraceError } from '../../errors.js';
import { sizeOf, type TensorSpec, type TypedArray } from '../dtype.js';
import { cpuBackend, engine } from '../trace/engine.js';
import { NativeBuffer } from './buffer.js';

interface CapturedInput {
  readonly tensor: tf.Tensor;
  readonly buffer: NativeBuffer;
  /** The array last copied; tfjs never changes a tensor's values in place. */
  values?: TypedArray;
}

/** Native copies of captured tensors. Owns them until `close()`. */
export class CapturedTensors {
  private readonly inputs = new Map<tf.Tensor, CapturedInput>();

  /** @param functionName named by errors. */
  constructor(
    tensors: Iterable<tf.Tensor>,
    private readonly functionName: string,
  ) {
    for (const tensor of new Set(tensors)) this.inputs.set(tensor, { tensor, buffer: new NativeBuffer(tensor as unknown as TensorSpec) });
  }

  /** Native bytes held. */
  get byteLength(): number {
    return [...this.inputs.values()].reduce((n, { buffer }) => n + buffer.byteLength, 0);
  }

  /** The native copy of one of the tensors. */
  buffer(tensor: tf.Tensor): NativeBuffer {
    return this.inputs.get(tensor)!.buffer;
  }

  /** Copies the tensors whose values are other ones than at the last call. @throws TraceError when one was disposed. */
  refresh(): void {
    for (const input of this.inputs.values()) this.copy(input);
  }

  /** Gives the native copies back. */
  close(): void {
    for (const { buffer } of this.inputs.values()) buffer.close();
  }

  private copy(input: CapturedInput): void {
    const { tensor, buffer } = input;
    const info = engine().state.tensorInfo.get(tensor.dataId as object);
    if (info === undefined) {
      throw new TraceError(
        `A tensor of shape [${tensor.shape.join(',')}] that the compiled function "${this.functionName}" uses from outside was disposed. ` +
          'Keep it (tf.keep) for as long as the function is called.',
      );
    }
    const backend = cpuBackend();
    const values = info.backend === backend ? backend.data.get(tensor.dataId as object).values : (tensor.dataSync() as TypedArray);
    if (values === input.values) return;
    buffer.array.set(values.length === buffer.array.length ? values : values.subarray(0, sizeOf(tensor.shape)));
    input.values = values;
  }
}
