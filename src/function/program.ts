/** One signature of a compiled function: traced, optimised, lowered, ready to run. */
import * as tf from '#tf';
import { TraceError } from '../errors.js';
import { formatSpec } from './dtype.js';
import type { Graph, Value } from './graph/ir.js';
import { lower } from './graph/lower.js';
import { optimize, type PassName } from './graph/passes/index.js';
import { singleReplica } from './graph/passes/single-replica.js';
import { splitAtCollectives } from './graph/segments.js';
import type { Collective } from './collective.js';
import { Executable, type ExecutableSegment } from './runtime/executable.js';
import type { OnnxGraph } from './graph/onnx.js';
import type { SessionOptions } from './runtime/session.js';
import { flattenResult, type Flat } from './structure.js';
import { summariesDue, writeSummary } from './summary.js';
import { guardOf, type Guard } from './trace/guard.js';
import { runTrace, type TraceResult } from './trace/run-trace.js';
import type { TracedSummary } from './trace/trace.js';

/** Options that shape a program. */
export interface ProgramOptions extends SessionOptions {
  /** Graph passes to leave out, for debugging. */
  readonly disabledPasses?: readonly PassName[];
  /** The replicas that `allReduceSum` sums over. Default: one replica, no sums. */
  readonly collective?: Collective;
}

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
    private readonly options: ProgramOptions,
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

  /** Makes another native side; the caller closes it. */
  open(options: SessionOptions): Executable {
    return new Executable(this.graph, this.segments, options, this.options.collective);
  }

  /** False when a host value that the trace baked in has changed since. */
  guardsHold(): boolean {
    for (const guard of this.guards) if (!guard.holds()) return false;
    return true;
  }

  /** The results of the last run, in the function's structure. */
  result(): unknown {
    if (this.graph.outputs.length === 0) return this.rebuild([]);
    const arrays = this.executable.outputArrays();
    const results = this.graph.outputs.length - this.summaries.length;
    this.summaries.forEach(({ kind, name }, i) => writeSummary(kind, name, arrays[results + i]!));
    return this.rebuild(this.graph.outputs.slice(0, results).map((v, i) => tf.tensor(arrays[i]!, [...v.shape], v.dtype)));
  }

  /** The whole program as one ONNX graph, for export; sums over replicas are left out. */
  onnx(): OnnxGraph {
    return lower(optimize(singleReplica(this.graph))).onnx;
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
  options: ProgramOptions,
): Program {
  let rebuild: (tensors: readonly tf.Tensor[]) => unknown = () => undefined;
  const trace = (mayCreateVariables: boolean): TraceResult =>
    runTrace(
      (inputs) => {
        const result = flattenResult(fn(...flat.rebuild(inputs)), name);
        rebuild = result.rebuild;
        return result.tensors;
      },
      { name, specs: flat.leaves, mayCreateVariables },
    );
  let result = trace(first);
  // The first trace of a function may build layers and slots; what later calls do is what the second one shows.
  if (result.created.length > 0) result = trace(false);
  checkConstants(result, trace(false), name);
  const guards = [...result.optimizers].map(guardOf);
  const build = (graph: Graph): [Graph, ExecutableSegment[]] => {
    const alone = options.collective === undefined || options.collective.size === 1;
    const optimized = optimize(alone ? singleReplica(graph) : graph, options.disabledPasses);
    return [optimized, splitAtCollectives(optimized).map((s) => (s.kind === 'graph' ? { ...s, lowered: lower(s.graph) } : s))];
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
  const differ = (x: Value | undefined, y: Value | undefined): boolean => {
    if (x?.source.kind !== 'constant' || y?.source.kind !== 'constant') return x !== y;
    const [p, q] = [x.source.data, y.source.data];
    return x.dtype !== y.dtype || p.length !== q.length || p.some((v, i) => !Object.is(v, q[i]));
  };
  const count = Math.max(a.hostConstants.length, b.hostConstants.length);
  for (let i = 0; i < count; i++) {
    const [x, y] = [a.hostConstants[i], b.hostConstants[i]];
    if (!differ(x, y)) continue;
    const what = x === undefined || y === undefined ? 'another number of constants' : `another constant of ${formatSpec(x)}`;
    throw new TraceError(
      `The compiled function "${name}" was traced twice and made ${what} the second time, which would be frozen into the compiled step. ` +
        'Numbers that change from call to call must be arguments or variables; for random numbers use tf.randomUniform, tf.randomNormal, tf.dropout or a random layer of orbit-ts/tf.',
      { op: 'constant' },
    );
  }
}
