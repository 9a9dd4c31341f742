/** One compiled program with its native memory: copies inputs in, runs its segments, flips variables, copies outputs out. */
import type * as tf from '#tf';
import { TraceError } from '../../errors.js';
import { sizeOf, type TensorSpec, type TypedArray } from '../dtype.js';
import type { Collective } from '../collective.js';
import type { Graph, Value } from '../graph/ir.js';
import type { LoweredGraph } from '../graph/lower.js';
import { cpuBackend, engine } from '../trace/engine.js';
import { NativeBuffer } from './buffer.js';
import { cellGeneration, cellOf, type Cell } from './cell.js';
import { Session, type Binding, type SessionOptions } from './session.js';

/** Bindings kept per program. Functions that share variables meet few combinations of current buffers. */
const MAX_BINDINGS = 8;

/** A graph segment, lowered. */
export interface LoweredSegment {
  readonly kind: 'graph';
  readonly graph: Graph;
  readonly lowered: LoweredGraph;
}

/** What an executable runs, in order. */
export type ExecutableSegment = LoweredSegment | { readonly kind: 'allReduce'; readonly from: readonly Value[]; readonly to: readonly Value[] };

interface CapturedInput {
  readonly tensor: tf.Tensor;
  readonly buffer: NativeBuffer;
  /** The array last copied; tfjs never changes a tensor's values in place. */
  values?: TypedArray;
}

type Step = { readonly kind: 'graph'; readonly segment: LoweredSegment; readonly session: Session } | { readonly kind: 'host'; readonly run: () => void };

/** A program that can be run. Owns its sessions and buffers until `close()`. */
export class Executable {
  private readonly steps: readonly Step[];
  private readonly inputs: readonly (NativeBuffer | undefined)[];
  private readonly outputs: readonly NativeBuffer[];
  private readonly buffers = new Map<Value, NativeBuffer>();
  private readonly captured = new Map<tf.Tensor, CapturedInput>();
  private readonly assigned: readonly Cell[];
  /** Cells whose parity decides which buffers a run uses. */
  private readonly cells: readonly Cell[];
  private readonly bindings = new Map<string, (Binding | undefined)[]>();
  private generation = -1;

  /**
   * @param graph the whole program.
   * @param segments its parts in order.
   * @param collective the replicas that host segments sum over.
   */
  constructor(
    private readonly graph: Graph,
    segments: readonly ExecutableSegment[],
    options: SessionOptions = {},
    collective?: Collective,
  ) {
    const graphs = segments.filter((s) => s.kind === 'graph');
    const used = new Set(graphs.flatMap((s) => s.graph.inputs.filter((_, i) => s.lowered.inputs[i] !== undefined)));
    this.inputs = graph.inputs.map((v) => (used.has(v) ? this.buffer(v) : undefined));
    this.outputs = graph.outputs.map((v) => this.buffer(v));
    for (const { lowered } of graphs) {
      for (const { tensor } of lowered.captured) this.captured.set(tensor, { tensor, buffer: new NativeBuffer(tensor as unknown as TensorSpec) });
    }
    const read = graphs.flatMap((s) => s.lowered.variables.map(({ variable }) => cellOf(variable)));
    this.assigned = graphs.flatMap((s) => s.lowered.assignments.map(({ variable }) => cellOf(variable)));
    this.cells = [...new Set([...read, ...this.assigned])];
    this.steps = segments.flatMap((segment): Step[] => {
      if (segment.kind === 'allReduce') return [{ kind: 'host', run: this.allReduce(segment.from, segment.to, collective) }];
      // A program without results has nothing to run, and ONNX Runtime refuses empty graphs.
      return segment.lowered.onnx.nodes.length === 0 ? [] : [{ kind: 'graph', segment, session: new Session(segment.lowered.onnx, options) }];
    });
  }

  /** Native bytes of inputs, outputs, values between segments and captured tensors; variables are counted by their cells. */
  get byteLength(): number {
    return [...this.buffers.values(), ...[...this.captured.values()].map((c) => c.buffer)].reduce((n, b) => n + b.byteLength, 0);
  }

  /** The variables' cells. */
  get variableCells(): readonly Cell[] {
    return this.cells;
  }

  /** The sessions in the order in which they run. */
  get sessions(): Session[] {
    return this.steps.flatMap((step) => (step.kind === 'graph' ? [step.session] : []));
  }

  /** Runs on the calling thread; `outputArrays()` then holds the results. */
  run(data: readonly TypedArray[]): void {
    const bindings = this.prepare(data);
    for (let i = 0; i < this.steps.length; i++) {
      const step = this.steps[i]!;
      if (step.kind === 'graph') step.session.run(bindings[i]!);
      else step.run();
    }
    this.finish();
  }

  /** Runs all graphs on the calling thread but leaves every variable as it is. */
  dryRun(data: readonly TypedArray[]): void {
    const bindings = this.prepare(data);
    this.steps.forEach((step, i) => step.kind === 'graph' && step.session.run(bindings[i]!));
  }

  /** Runs on a background thread. Inputs are copied before this returns. */
  async runAsync(data: readonly TypedArray[]): Promise<void> {
    const bindings = this.prepare(data);
    for (const [i, step] of this.steps.entries()) {
      if (step.kind === 'graph') await step.session.runAsync(bindings[i]!);
      else step.run();
    }
    this.finish();
  }

  /** Fresh copies of the outputs of the last run. */
  outputArrays(): TypedArray[] {
    return this.outputs.map((b) => b.array.slice(0, sizeOf(b.spec.shape)));
  }

  /** Gives the sessions and the buffers back. Variables keep their values. */
  close(): void {
    for (const session of this.sessions) session.close();
    for (const buffer of this.buffers.values()) buffer.close();
    for (const { buffer } of this.captured.values()) buffer.close();
  }

  private buffer(value: Value): NativeBuffer {
    let buffer = this.buffers.get(value);
    if (buffer === undefined) this.buffers.set(value, (buffer = new NativeBuffer(value)));
    return buffer;
  }

  private allReduce(from: readonly Value[], to: readonly Value[], collective: Collective | undefined): () => void {
    const sources = from.map((v) => this.buffer(v).array as Float32Array);
    const targets = to.map((v) => this.buffer(v).array as Float32Array);
    return () => {
      targets.forEach((target, i) => target.set(sources[i]!));
      collective?.allReduce(targets);
    };
  }

  private prepare(data: readonly TypedArray[]): readonly (Binding | undefined)[] {
    for (let i = 0; i < this.inputs.length; i++) this.inputs[i]?.array.set(data[i]!);
    for (const input of this.captured.values()) this.copyCaptured(input);
    let key = '';
    for (const cell of this.cells) {
      if (cell.variable.isDisposed) {
        throw new TraceError(`The variable "${cell.variable.name}" of the compiled function "${this.graph.name}" was disposed.`);
      }
      cell.sync();
      key += cell.parity;
    }
    if (this.generation !== cellGeneration()) this.releaseBindings();
    const bindings = this.bindings.get(key) ?? this.bind(key);
    this.generation = cellGeneration();
    return bindings;
  }

  private copyCaptured(input: CapturedInput): void {
    const { tensor, buffer } = input;
    const info = engine().state.tensorInfo.get(tensor.dataId as object);
    if (info === undefined) {
      throw new TraceError(
        `A tensor of shape [${tensor.shape.join(',')}] that the compiled function "${this.graph.name}" uses from outside was disposed. ` +
          'Keep it (tf.keep) for as long as the function is called.',
      );
    }
    const backend = cpuBackend();
    const values = info.backend === backend ? backend.data.get(tensor.dataId as object).values : (tensor.dataSync() as TypedArray);
    if (values === input.values) return;
    buffer.array.set(values.length === buffer.array.length ? values : values.subarray(0, sizeOf(tensor.shape)));
    input.values = values;
  }

  private bind(key: string): readonly (Binding | undefined)[] {
    if (this.bindings.size >= MAX_BINDINGS) this.releaseBindings();
    const made = this.steps.map((step) => (step.kind === 'graph' ? this.bindSegment(step.segment, step.session) : undefined));
    this.bindings.set(key, made);
    return made;
  }

  private bindSegment({ graph, lowered }: LoweredSegment, session: Session): Binding {
    const inputs: [string, NativeBuffer][] = [];
    lowered.inputs.forEach((name, i) => name !== undefined && inputs.push([name, this.buffer(graph.inputs[i]!)]));
    lowered.captured.forEach(({ name, tensor }) => inputs.push([name, this.captured.get(tensor)!.buffer]));
    lowered.variables.forEach(({ name, variable }) => inputs.push([name, cellOf(variable).current]));
    const outputs: [string, NativeBuffer][] = lowered.outputs.map((name, i) => [name, this.buffer(graph.outputs[i]!)]);
    lowered.assignments.forEach(({ name, variable }) => outputs.push([name, cellOf(variable).spare]));
    return session.bind(inputs, outputs);
  }

  private releaseBindings(): void {
    for (const bindings of this.bindings.values()) {
      this.steps.forEach((step, i) => step.kind === 'graph' && step.session.release(bindings[i]!));
    }
    this.bindings.clear();
  }

  private finish(): void {
    for (const cell of this.assigned) cell.flip();
  }
}
