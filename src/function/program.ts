/** One signature of a compiled function: traced, optimised, lowered, ready to run. */
import * as tf from '#tf';
import { TraceError } from '../errors.js';
import { formatSpec, type TypedArray } from './dtype.js';
import type { Graph, Value } from './graph/ir.js';
import { exportGraph, type OnnxOptions } from './graph/export.js';
import { lower } from './graph/lower.js';
import { optimize, type PassName } from './graph/passes/index.js';
import { singleReplica } from './graph/passes/single-replica.js';
import { attention, fuse, groupUpdates } from './graph/fusion/index.js';
import { nativeRecurrences } from './graph/recurrence/index.js';
import { splitAtCollectives, type GraphSegment } from './graph/segments.js';
import type { CompileOptions } from './compile-options.js';
import { Executable } from './runtime/executable.js';
import type { ExecutableSegment, LoweredSegment } from './runtime/segments.js';
import { nativeLibrary } from './runtime/native.js';
import { ort } from './runtime/ort.js';
import type { OnnxGraph } from './graph/onnx.js';
import type { SessionOptions } from './runtime/session.js';
import { flattenResult, type Flat } from './structure.js';
import { summariesDue, writeSummary } from './summary.js';
import { guardOf, type Guard } from './trace/guard.js';
import { runTrace, type TraceResult } from './trace/run-trace.js';
import type { TracedSummary } from './trace/trace.js';

/** A program and the means to run it. */
export class Program {
  /** Duration of the last run in milliseconds; decides whether the next one runs in the background. */
  lastMs = 0;
  private opened: Executable | undefined;
  private recording: Program | undefined;

  constructor(
    readonly key: string,
    readonly graph: Graph,
    private readonly segments: readonly ExecutableSegment[],
    private readonly rebuild: (tensors: readonly tf.Tensor[]) => unknown,
    private readonly guards: readonly Guard[],
    private readonly options: CompileOptions,
    /** The summaries whose values are the last outputs. */
    private readonly summaries: readonly TracedSummary[] = [],
    /** Makes the variant of this program that also gives its summaries; undefined when it has none. */
    private readonly makeRecording?: () => Program,
  ) {}

  /** The variant to run now: with summaries when there are any and recording is due. */
  due(): Program {
    if (this.makeRecording === undefined || !summariesDue()) return this;
    return (this.recording ??= this.makeRecording());
  }

  /** The native side; made when it is first needed. */
  get executable(): Executable {
    this.opened ??= this.open(this.options);
    return this.opened;
  }

  /** The native sides that exist: its own, and its recording variant's. */
  get executables(): readonly Executable[] {
    return [...(this.opened === undefined ? [] : [this.opened]), ...(this.recording?.executables ?? [])];
  }

  /** Makes another native side; the caller closes it. */
  open(options: SessionOptions): Executable {
    return new Executable(this.graph, this.segments, options, this.options.collective);
  }

  /** False when a host value that the trace baked in has changed since. */
  guardsHold(): boolean {
    for (const guard of this.guards) if (!guard.holds()) return false;
    return true;
  }

  /** Runs on the calling thread and returns the results, in the function's structure. */
  run(data: readonly TypedArray[]): unknown {
    const start = performance.now();
    const { executable } = this;
    executable.run(data);
    this.lastMs = performance.now() - start;
    return this.result(executable);
  }

  /** As `run`, on a background thread. */
  async runAsync(data: readonly TypedArray[]): Promise<unknown> {
    const start = performance.now();
    const { executable } = this; // stays the one that ran, also when the program is closed meanwhile
    await executable.runAsync(data);
    this.lastMs = performance.now() - start;
    return this.result(executable);
  }

  private result(executable: Executable): unknown {
    if (this.graph.outputs.length === 0) return this.rebuild([]);
    const arrays = executable.outputArrays();
    const results = this.graph.outputs.length - this.summaries.length;
    this.summaries.forEach(({ kind, name }, i) => writeSummary(kind, name, arrays[results + i]!));
    return this.rebuild(this.graph.outputs.slice(0, results).map((v, i) => tf.tensor(arrays[i]!, [...v.shape], v.dtype)));
  }

  /** The whole program as one ONNX graph, for export; sums over replicas are left out. */
  onnx(options: OnnxOptions): OnnxGraph {
    const graph = singleReplica(this.graph);
    return exportGraph(graph, lower(graph), options);
  }

  /** Gives native memory back. */
  close(): void {
    this.opened?.close();
    this.opened = undefined;
    this.recording?.close();
    this.recording = undefined;
  }
}

/** Traces a function for one signature. */
export function traceProgram(
  fn: (...args: unknown[]) => unknown,
  name: string,
  flat: Flat,
  first: boolean,
  options: CompileOptions,
): Program {
  let rebuild: (tensors: readonly tf.Tensor[]) => unknown = () => undefined;
  const trace = (mayCreateVariables: boolean, lines: boolean): TraceResult =>
    runTrace(
      (inputs) => {
        const result = flattenResult(fn(...flat.rebuild(inputs)), name);
        rebuild = result.rebuild;
        return result.tensors;
      },
      { name, specs: flat.leaves, mayCreateVariables, lines },
    );
  // The first trace of a function may build layers and slots; what later calls do is what the second one shows.
  const before = trace(first, false);
  let result = trace(false, true);
  if (before.created.length === 0) checkConstants(before, result, name);
  else if (firstDifference(before, result) !== undefined) {
    const again = trace(false, true);
    checkConstants(result, again, name);
    result = again;
  }
  const guards = [...result.optimizers].map(guardOf);
  const build = (graph: Graph): [Graph, ExecutableSegment[]] => {
    const alone = options.collective === undefined || options.collective.size === 1;
    const native = nativeLibrary(options.nativeKernels ?? true)?.ops;
    const lowerSegment = (s: GraphSegment): LoweredSegment => {
      // Buffers go by the values of the segment's own graph; the fused one has the same inputs and outputs in the same order.
      const looped = native?.has('Recurrence') ? nativeRecurrences(s.graph, options.threads ?? ort().numThreads) : s.graph;
      const attended = native?.has('AttentionGrad') ? attention(looped) : looped;
      const fused = native?.has('Fused') ? fuse(attended, native.has('Conv')) : attended;
      return { ...s, lowered: lower(native?.has('FusedUpdates') ? groupUpdates(fused) : fused, native) };
    };
    // The native kernel needs no copies of small variables.
    const packs: PassName[] = native?.has('FusedUpdates') ? ['packUpdates'] : [];
    const optimized = optimize(alone ? singleReplica(graph) : graph, [...(options.disabledPasses ?? []), ...packs]);
    return [optimized, splitAtCollectives(optimized).map((s) => (s.kind === 'graph' ? lowerSegment(s) : s))];
  };
  const { summaries } = result;
  const recording = (): Program => {
    const outputs = [...result.graph.outputs, ...summaries.map((s) => s.value)];
    return new Program(flat.key, ...build({ ...result.graph, outputs }), rebuild, guards, options, summaries);
  };
  return new Program(flat.key, ...build(result.graph), rebuild, guards, options, [], summaries.length > 0 ? recording : undefined);
}

/** Host-made constants that differ between two traces would be frozen into the program: an error. */
function checkConstants(a: TraceResult, b: TraceResult, name: string): void {
  const i = firstDifference(a, b);
  if (i === undefined) return;
  const [x, y] = [a.hostConstants[i], b.hostConstants[i]];
  const what = x === undefined || y === undefined ? 'another number of constants' : `another constant of ${formatSpec(x)}`;
  throw new TraceError(
    `The compiled function "${name}" was traced twice and made ${what} the second time, which would be frozen into the compiled step. ` +
      'Numbers that change from call to call must be arguments or variables; for random numbers use tf.randomUniform, tf.randomNormal, tf.dropout or a random layer of orbit-ts/tf.',
    { op: 'constant' },
  );
}

/** Position of the first host-made constant in which two traces differ. */
function firstDifference(a: TraceResult, b: TraceResult): number | undefined {
  const differ = (x: Value | undefined, y: Value | undefined): boolean => {
    if (x?.source.kind !== 'constant' || y?.source.kind !== 'constant') return x !== y;
    const [p, q] = [x.source.data, y.source.data];
    return x.dtype !== y.dtype || !equalData(p, q);
  };
  const count = Math.max(a.hostConstants.length, b.hostConstants.length);
  for (let i = 0; i < count; i++) if (differ(a.hostConstants[i], b.hostConstants[i])) return i;
  return undefined;
}

function equalData(p: TypedArray, q: TypedArray): boolean {
  if (p === q) return true;
  if (p.byteLength !== q.byteLength) return false;
  // As bytes: two NaNs are equal, and 0 and -0 are not.
  return Buffer.compare(bytesOf(p), bytesOf(q)) === 0;
}

const bytesOf = (array: TypedArray): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
