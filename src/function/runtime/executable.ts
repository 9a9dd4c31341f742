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

/** Arguments of at least this size are read where they lie instead of being copied, when the run blocks the thread. */
const READ_IN_PLACE_BYTES = 32_768;

/** Native views of arguments that were read in place. */
const views = new WeakMap<TypedArray, NativeBuffer>();

/** A graph segment, lowered. */
export interface LoweredSegment {
  readonly kind: 'graph';
  readonly graph: Graph;
  readonly lowered: LoweredGraph;
}

/** What an executable runs, in order. */
export type ExecutableSegment =
  LoweredSegment | { readonly kind: 'allReduce'; readonly from: readonly Value[]; readonly to: readonly Value[] };

interface CapturedInput {
  readonly tensor: tf.Tensor;
  readonly buffer: NativeBuffer;
  /** The array last copied; tfjs never changes a tensor's values in place. */
  values?: TypedArray;
}

/** The bindings of all graph segments for one combination of current buffers, and the input buffers that they point at. */
interface BindingSet {
  readonly bindings: readonly (Binding | undefined)[];
  readonly inputs: (NativeBuffer | undefined)[];
}

type Step =
  | { readonly kind: 'graph'; readonly segment: LoweredSegment; readonly session: Session }
  | { readonly kind: 'host'; readonly run: () => void };

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
  private readonly bindings = new Map<string, BindingSet>();
  private generation = -1;
  private running = false;
  private closing = false;

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
      for (const { tensor } of lowered.captured)
        this.captured.set(tensor, { tensor, buffer: new NativeBuffer(tensor as unknown as TensorSpec) });
    }
    const read = graphs.flatMap((s) => s.lowered.variables.map(({ variable }) => cellOf(variable)));
    this.assigned = graphs.flatMap((s) => s.lowered.assignments.map(({ variable }) => cellOf(variable)));
    this.cells = [...new Set([...read, ...this.assigned])];
    this.steps = segments.flatMap((segment): Step[] => {
      if (segment.kind === 'allReduce') return [{ kind: 'host', run: this.allReduce(segment.from, segment.to, collective) }];
      // A program without results has nothing to run, and ONNX Runtime refuses empty graphs.
      return segment.lowered.onnx.nodes.length === 0
        ? []
        : [{ kind: 'graph', segment, session: new Session(segment.lowered.onnx, options) }];
    });
  }

  /** Native bytes of inputs, outputs, values between segments and captured tensors; variables are counted by their cells. */
  get byteLength(): number {
    return [...this.buffers.values(), ...[...this.captured.values()].map((c) => c.buffer)].reduce((n, b) => n + b.byteLength, 0);
  }

  /** Bytes of the arenas for intermediate values; undefined where ONNX Runtime cannot tell. */
  get arenaBytes(): number | undefined {
    const sizes = this.sessions.map((s) => s.arenaBytes);
    return sizes.every((n) => n !== undefined) ? sizes.reduce((a, b) => a + b, 0) : undefined;
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
    const { bindings } = this.prepare(data, true);
    for (let i = 0; i < this.steps.length; i++) {
      const step = this.steps[i]!;
      if (step.kind === 'graph') step.session.run(bindings[i]!);
      else step.run();
    }
    this.finish();
  }

  /** Runs all graphs on the calling thread but leaves every variable as it is. */
  dryRun(data: readonly TypedArray[]): void {
    const { bindings } = this.prepare(data, true);
    this.steps.forEach((step, i) => step.kind === 'graph' && step.session.run(bindings[i]!));
  }

  /** Runs on a background thread. Inputs are copied before this returns. */
  async runAsync(data: readonly TypedArray[]): Promise<void> {
    const { bindings } = this.prepare(data, false);
    this.running = true;
    try {
      for (const [i, step] of this.steps.entries()) {
        if (step.kind === 'graph') await step.session.runAsync(bindings[i]!);
        else step.run();
      }
      this.finish();
    } finally {
      this.running = false;
      if (this.closing) this.close();
    }
  }

  /** Fresh copies of the outputs of the last run. */
  outputArrays(): TypedArray[] {
    return this.outputs.map((b) => b.array.slice(0, sizeOf(b.spec.shape)));
  }

  /** Gives the sessions and the buffers back, after the run in the background if there is one. Variables keep their values. */
  close(): void {
    this.closing = true;
    if (this.running) return;
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

  private prepare(data: readonly TypedArray[], inPlace: boolean): BindingSet {
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
    const set = this.bindings.get(key) ?? this.bind(key);
    this.generation = cellGeneration();
    for (let i = 0; i < this.inputs.length; i++) {
      const own = this.inputs[i];
      if (own !== undefined) this.feed(set, i, own, data[i]!, inPlace);
    }
    return set;
  }

  /** Makes an argument the graph's input: a large one in place, a small one (or for a run in the background) by a copy. */
  private feed(set: BindingSet, i: number, own: NativeBuffer, data: TypedArray, inPlace: boolean): void {
    let buffer = own;
    if (
      inPlace &&
      own.byteLength >= READ_IN_PLACE_BYTES &&
      data.byteLength === own.byteLength &&
      data.constructor === own.array.constructor
    ) {
      buffer = views.get(data) ?? new NativeBuffer(own.spec, data);
      if (buffer.spec !== own.spec && buffer.spec.shape.join() !== own.spec.shape.join()) buffer = new NativeBuffer(own.spec, data);
      views.set(data, buffer);
    } else own.array.set(data);
    if (set.inputs[i] === buffer) return;
    set.inputs[i] = buffer; // also keeps it in memory while the bindings point at it
    const value = this.graph.inputs[i]!;
    this.steps.forEach((step, k) => {
      if (step.kind !== 'graph') return;
      const at = step.segment.graph.inputs.indexOf(value);
      const name = at < 0 ? undefined : step.segment.lowered.inputs[at];
      if (name !== undefined) step.session.rebind(set.bindings[k]!, name, buffer);
    });
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

  private bind(key: string): BindingSet {
    if (this.bindings.size >= MAX_BINDINGS) this.releaseBindings();
    const bindings = this.steps.map((step) => (step.kind === 'graph' ? this.bindSegment(step.segment, step.session) : undefined));
    const set: BindingSet = { bindings, inputs: [...this.inputs] };
    this.bindings.set(key, set);
    return set;
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
    for (const { bindings } of this.bindings.values()) {
      this.steps.forEach((step, i) => step.kind === 'graph' && step.session.release(bindings[i]!));
    }
    this.bindings.clear();
  }

  private finish(): void {
    for (const cell of this.assigned) cell.flip();
  }
}
