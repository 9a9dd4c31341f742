/** One compiled program with its native memory: copies inputs in, runs its segments, flips variables, copies outputs out. */
import { TraceError } from '../../errors.js';
import { sizeOf, type TypedArray } from '../dtype.js';
import type { Collective } from '../collective.js';
import type { Graph, Value } from '../graph/ir.js';
import { argumentBuffer } from './arguments.js';
import { BindingSets, type BindingSet } from './binding-sets.js';
import { NativeBuffer } from './buffer.js';
import { CapturedTensors } from './captured-tensors.js';
import { cellOf, type Cell } from './cell.js';
import type { ExecutableSegment, LoweredSegment, Step } from './segments.js';
import { Session, type Binding, type SessionOptions } from './session.js';

/** A program that can be run. Owns its sessions and buffers until `close()`. */
export class Executable {
  private readonly steps: readonly Step[];
  private readonly inputs: readonly (NativeBuffer | undefined)[];
  private readonly outputs: readonly NativeBuffer[];
  private readonly buffers = new Map<Value, NativeBuffer>();
  private readonly captured: CapturedTensors;
  private readonly assigned: readonly Cell[];
  /** Cells whose parity decides which buffers a run uses. */
  private readonly cells: readonly Cell[];
  private readonly bindings: BindingSets;
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
    const captured = graphs.flatMap((s) => s.lowered.captured.map(({ tensor }) => tensor));
    this.captured = new CapturedTensors(captured, graph.name);
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
    this.bindings = new BindingSets(graph.inputs, this.inputs, this.steps, (segment, session) => this.bind(segment, session));
  }

  /** Native bytes of inputs, outputs, values between segments and captured tensors; variables are counted by their cells. */
  get byteLength(): number {
    return [...this.buffers.values()].reduce((n, b) => n + b.byteLength, this.captured.byteLength);
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
    this.captured.close();
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
    this.captured.refresh();
    let key = '';
    for (const cell of this.cells) {
      if (cell.variable.isDisposed) {
        throw new TraceError(`The variable "${cell.variable.name}" of the compiled function "${this.graph.name}" was disposed.`);
      }
      cell.sync();
      key += cell.parity;
    }
    const set = this.bindings.of(key);
    for (let i = 0; i < this.inputs.length; i++) {
      const own = this.inputs[i];
      if (own !== undefined) this.bindings.setInput(set, i, argumentBuffer(own, data[i]!, inPlace));
    }
    return set;
  }

  /** The buffers that a graph reads and writes while the variables' cells are as they are now. */
  private bind({ graph, lowered }: LoweredSegment, session: Session): Binding {
    const inputs: [string, NativeBuffer][] = [];
    lowered.inputs.forEach((name, i) => name !== undefined && inputs.push([name, this.buffer(graph.inputs[i]!)]));
    lowered.captured.forEach(({ name, tensor }) => inputs.push([name, this.captured.buffer(tensor)]));
    lowered.variables.forEach(({ name, variable }) => inputs.push([name, cellOf(variable).current]));
    const outputs: [string, NativeBuffer][] = lowered.outputs.map((name, i) => [name, this.buffer(graph.outputs[i]!)]);
    lowered.assignments.forEach(({ name, variable }) => outputs.push([name, cellOf(variable).spare]));
    return session.bind(inputs, outputs);
  }

  private finish(): void {
    for (const cell of this.assigned) cell.flip();
  }
}
