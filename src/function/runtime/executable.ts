/** One compiled program with its native memory: copies inputs in, runs, flips variables, copies outputs out. */
import type * as tf from '#tf';
import { TraceError } from '../../errors.js';
import { sizeOf, type TensorSpec, type TypedArray } from '../dtype.js';
import type { LoweredGraph } from '../graph/lower.js';
import { cpuBackend, engine } from '../trace/engine.js';
import { NativeBuffer } from './buffer.js';
import { cellGeneration, cellOf, type Cell } from './cell.js';
import { Session, type Binding, type SessionOptions } from './session.js';

/** Bindings kept per program. Functions that share variables meet few combinations of current buffers. */
const MAX_BINDINGS = 8;

interface CapturedInput {
  readonly tensor: tf.Tensor;
  readonly buffer: NativeBuffer;
  /** The array last copied; tfjs never changes a tensor's values in place. */
  values?: TypedArray;
}

/** A program that can be run. Owns its session and buffers until `close()`. */
export class Executable {
  private readonly opened: Session | undefined;
  private readonly inputs: readonly (NativeBuffer | undefined)[];
  private readonly outputs: readonly NativeBuffer[];
  private readonly captured: readonly CapturedInput[];
  private readonly read: readonly Cell[];
  private readonly assigned: readonly Cell[];
  /** Cells whose parity decides which buffers a run uses. */
  private readonly cells: readonly Cell[];
  private readonly bindings = new Map<string, Binding>();
  private generation = -1;

  constructor(
    private readonly lowered: LoweredGraph,
    inputSpecs: readonly TensorSpec[],
    outputSpecs: readonly TensorSpec[],
    options: SessionOptions = {},
  ) {
    // A program without results has nothing to run, and ONNX Runtime refuses empty graphs.
    this.opened = lowered.onnx.nodes.length === 0 ? undefined : new Session(lowered.onnx, options);
    this.inputs = lowered.inputs.map((name, i) => (name === undefined ? undefined : new NativeBuffer(inputSpecs[i]!)));
    this.outputs = outputSpecs.map((spec) => new NativeBuffer(spec));
    this.captured = lowered.captured.map(({ tensor }) => ({ tensor, buffer: new NativeBuffer(tensor as unknown as TensorSpec) }));
    this.read = lowered.variables.map(({ variable }) => cellOf(variable));
    this.assigned = lowered.assignments.map(({ variable }) => cellOf(variable));
    this.cells = [...new Set([...this.read, ...this.assigned])];
  }

  /** The native session. */
  get session(): Session {
    if (this.opened === undefined) throw new TraceError(`The compiled function "${this.lowered.onnx.name}" has no results: nothing runs.`);
    return this.opened;
  }

  /** True when the program has no results at all. */
  private get empty(): boolean {
    return this.opened === undefined;
  }

  /** Native bytes of inputs, outputs and captured tensors; variables are counted by their cells. */
  get byteLength(): number {
    return [...this.inputs, ...this.outputs, ...this.captured.map((c) => c.buffer)].reduce((n, b) => n + (b?.byteLength ?? 0), 0);
  }

  /** The variables' cells. */
  get variableCells(): readonly Cell[] {
    return this.cells;
  }

  /** Runs on the calling thread; `outputArrays()` then holds the results. */
  run(data: readonly TypedArray[]): void {
    if (this.empty) return;
    this.session.run(this.prepare(data));
    this.finish();
  }

  /** Runs on a background thread. Inputs are copied before this returns. */
  async runAsync(data: readonly TypedArray[]): Promise<void> {
    if (this.empty) return;
    await this.session.runAsync(this.prepare(data));
    this.finish();
  }

  /** Fresh copies of the outputs of the last run. */
  outputArrays(): TypedArray[] {
    return this.outputs.map((b) => b.array.slice(0, sizeOf(b.spec.shape)));
  }

  /** Gives the session and the buffers back. Variables keep their values. */
  close(): void {
    this.opened?.close();
    for (const buffer of [...this.inputs, ...this.outputs, ...this.captured.map((c) => c.buffer)]) buffer?.close();
  }

  private prepare(data: readonly TypedArray[]): Binding {
    for (const [i, buffer] of this.inputs.entries()) buffer?.array.set(data[i]!);
    for (const input of this.captured) this.copyCaptured(input);
    let key = '';
    for (const cell of this.cells) {
      if (cell.variable.isDisposed) {
        throw new TraceError(`The variable "${cell.variable.name}" of the compiled function "${this.lowered.onnx.name}" was disposed.`);
      }
      cell.sync();
      key += cell.parity;
    }
    if (this.generation !== cellGeneration()) {
      for (const binding of this.bindings.values()) this.session.release(binding);
      this.bindings.clear();
    }
    const binding = this.bindings.get(key) ?? this.bind(key);
    this.generation = cellGeneration();
    return binding;
  }

  private copyCaptured(input: CapturedInput): void {
    const { tensor, buffer } = input;
    const info = engine().state.tensorInfo.get(tensor.dataId as object);
    if (info === undefined) {
      throw new TraceError(
        `A tensor of shape [${tensor.shape.join(',')}] that the compiled function "${this.lowered.onnx.name}" uses from outside was disposed. ` +
          'Keep it (tf.keep) for as long as the function is called.',
      );
    }
    const backend = cpuBackend();
    const values = info.backend === backend ? backend.data.get(tensor.dataId as object).values : (tensor.dataSync() as TypedArray);
    if (values === input.values) return;
    buffer.array.set(values.length === buffer.array.length ? values : values.subarray(0, sizeOf(tensor.shape)));
    input.values = values;
  }

  private bind(key: string): Binding {
    if (this.bindings.size >= MAX_BINDINGS) {
      const [oldest, binding] = this.bindings.entries().next().value!;
      this.session.release(binding);
      this.bindings.delete(oldest);
    }
    const { lowered } = this;
    const inputs: [string, NativeBuffer][] = [];
    lowered.inputs.forEach((name, i) => name !== undefined && inputs.push([name, this.inputs[i]!]));
    lowered.captured.forEach(({ name }, i) => inputs.push([name, this.captured[i]!.buffer]));
    lowered.variables.forEach(({ name }, i) => inputs.push([name, this.read[i]!.current]));
    const outputs: [string, NativeBuffer][] = lowered.outputs.map((name, i) => [name, this.outputs[i]!]);
    lowered.assignments.forEach(({ name }, i) => outputs.push([name, this.assigned[i]!.spare]));
    const binding = this.session.bind(inputs, outputs);
    this.bindings.set(key, binding);
    return binding;
  }

  private finish(): void {
    for (const cell of this.assigned) cell.flip();
  }
}
