/** `compile`: tf.function for TensorFlow.js. */
import * as tf from '#tf';
import { stepRandom } from '#tf';
import { UsageError } from '../errors.js';
import type { TypedArray } from './dtype.js';
import { encodeModel } from './graph/onnx.js';
import { printGraph } from './graph/print.js';
import { flattenArguments, flattenResult, type Feed, type Flat } from './structure.js';
import { profile, type Profile } from './profile.js';
import { traceProgram, type Program, type ProgramOptions } from './program.js';

/** Options of `compile`. */
export interface CompileOptions extends ProgramOptions {
  /** Name of the function in messages, graphs and profiles. Default: the function's own name. */
  readonly name?: string;
  /** True runs the function on tfjs's own backend instead, with the same random numbers: for debugging. Default false. */
  readonly eager?: boolean;
  /** Where the step runs. Only `cpu` is available. */
  readonly device?: 'cpu';
  /** Traces kept; the least recently used one is dropped beyond. Default 32. */
  readonly cacheSize?: number;
}

/** A function that runs natively. Call it, await the result. */
export interface CompiledFunction<Args extends readonly unknown[], Result> {
  /** Runs the step; traces and compiles it first when the arguments' dtypes, shapes or structure are new. */
  (...args: { [K in keyof Args]: Feed<Args[K]> }): Promise<Result>;
  /** As calling, but blocks until the step has run. */
  runSync(...args: { [K in keyof Args]: Feed<Args[K]> }): Result;
  /** Number of signatures traced so far. */
  readonly traceCount: number;
  /** The program for these arguments as readable text. */
  graph(...args: { [K in keyof Args]: Feed<Args[K]> }): string;
  /** The program for these arguments as an ONNX model; variables are inputs, their new values outputs. */
  toOnnx(...args: { [K in keyof Args]: Feed<Args[K]> }): Uint8Array;
  /** Runs the step a few times under ONNX Runtime's profiler, without changing any variable; print the result for a table. */
  profile(...args: { [K in keyof Args]: Feed<Args[K]> }): Profile;
  /** Native bytes held: inputs, outputs and captured tensors; and both buffers of every variable. */
  memory(): { readonly bufferBytes: number; readonly variableBytes: number };
  /** Gives native memory back. A later call compiles again. */
  dispose(): void;
}

/**
 * Steps that take longer than this, in milliseconds, run in the background, so that timers, signals and workers are served meanwhile. Moving
 * a run to another thread costs more than the call: steps of 5 ms became 20 % slower, steps of 50 ms 2 %.
 */
export const LONG_STEP_MS = 15;
const RETRACES_BEFORE_WARNING = 5;

/** The run in progress on a background thread, if any: programs share variables, so runs do not overlap. */
let inFlight: Promise<void> | undefined;

/**
 * Compiles a tfjs function: its first call with a new signature traces it, and every call runs the traced program natively.
 * Variables that it reads or assigns are state and stay ordinary tfjs variables.
 *
 * The function must be synchronous, is called twice per signature (to find constants that differ between calls), and may
 * make variables only in its first call. Tensors it uses from outside are read at each call.
 *
 * @example
 * const step = compile((x: tf.Tensor2D, y: tf.Tensor2D) => optimizer.minimize(() => tf.losses.meanSquaredError(y, model.apply(x)), true));
 * const loss = await step(x, y);
 */
export function compile<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options: CompileOptions = {},
): CompiledFunction<Args, Result> {
  const name = options.name ?? (fn.name || 'step');
  if (options.device !== undefined && options.device !== 'cpu') {
    throw new UsageError(`compile: the device "${String(options.device)}" is not available; only "cpu" is.`);
  }
  const call = fn as unknown as (...args: unknown[]) => unknown;
  return options.eager
    ? eagerFunction(call, name)
    : (new Compiled(call, name, options).callable() as unknown as CompiledFunction<Args, Result>);
}

class Compiled {
  private readonly programs = new Map<string, Program>();
  private traces = 0;
  private last: Program | undefined;

  constructor(
    private readonly fn: (...args: unknown[]) => unknown,
    private readonly name: string,
    private readonly options: CompileOptions,
  ) {}

  callable(): CompiledFunction<unknown[], unknown> {
    const self = (...args: unknown[]): Promise<unknown> => this.run(args);
    Object.defineProperty(self, 'name', { value: this.name });
    Object.defineProperty(self, 'traceCount', { get: () => this.traces });
    return Object.assign(self, {
      runSync: (...args: unknown[]) => this.runSync(args),
      graph: (...args: unknown[]) => printGraph(this.program(this.flatten(args)).graph),
      toOnnx: (...args: unknown[]) => encodeModel(this.program(this.flatten(args)).onnx()),
      profile: (...args: unknown[]) => this.profile(args),
      memory: () => this.memory(),
      dispose: () => this.dispose(),
    }) as unknown as CompiledFunction<unknown[], unknown>;
  }

  private async run(args: unknown[]): Promise<unknown> {
    while (inFlight !== undefined) await inFlight;
    const flat = this.flatten(args);
    const program = this.program(flat).due();
    const data = flat.leaves.map((leaf) => leaf.data());
    if (program.lastMs > LONG_STEP_MS) {
      const start = performance.now();
      const done = program.executable.runAsync(data);
      inFlight = done.catch(() => {}).finally(() => (inFlight = undefined));
      await done;
      program.lastMs = performance.now() - start;
      return program.result();
    }
    return execute(program, data);
  }

  private runSync(args: unknown[]): unknown {
    if (inFlight !== undefined) {
      throw new UsageError(`"${this.name}".runSync was called while another compiled step runs in the background. Await that step first.`);
    }
    const flat = this.flatten(args);
    return execute(
      this.program(flat).due(),
      flat.leaves.map((leaf) => leaf.data()),
    );
  }

  private flatten(args: unknown[]): Flat {
    return flattenArguments(args, this.name);
  }

  private program(flat: Flat): Program {
    const known = this.last?.key === flat.key ? this.last : this.programs.get(flat.key);
    if (known !== undefined && known.guardsHold()) {
      if (known !== this.last) {
        this.programs.delete(flat.key); // moves it to the end: most recently used
        this.programs.set(flat.key, known);
      }
      this.last = known;
      return known;
    }
    known?.close();
    const made = traceProgram(this.fn, this.name, flat, this.traces === 0, this.options);
    this.traces++;
    if (this.traces === RETRACES_BEFORE_WARNING + 1) this.warnOfRetraces(flat);
    this.programs.set(flat.key, made);
    const limit = this.options.cacheSize ?? 32;
    for (const [key, program] of this.programs) {
      if (this.programs.size <= limit) break;
      program.close();
      this.programs.delete(key);
    }
    this.last = made;
    return made;
  }

  private warnOfRetraces(flat: Flat): void {
    const keys = [...this.programs.keys()].slice(-3).concat(flat.key);
    process.emitWarning(
      `The compiled function "${this.name}" was traced ${this.traces} times, which is slow. Its last signatures: ${[...new Set(keys)].join('  |  ')}. ` +
        'Give batches a fixed shape (drop or pad the last short one) and pass changing numbers as tensors.',
      'OrbitWarning',
    );
  }

  private profile(args: unknown[]): Profile {
    const flat = this.flatten(args);
    const program = this.program(flat);
    return profile(
      (options) => program.open({ ...this.options, ...options }),
      flat.leaves.map((leaf) => leaf.data()),
    );
  }

  private memory(): { bufferBytes: number; variableBytes: number } {
    const programs = [...this.programs.values()];
    const cells = new Set(programs.flatMap((p) => p.executable.variableCells));
    return {
      bufferBytes: programs.reduce((n, p) => n + p.executable.byteLength, 0),
      variableBytes: [...cells].reduce((n, cell) => n + cell.byteLength, 0),
    };
  }

  private dispose(): void {
    for (const program of this.programs.values()) program.close();
    this.programs.clear();
    this.last = undefined;
  }
}

function execute(program: Program, data: readonly TypedArray[]): unknown {
  const start = performance.now();
  program.executable.run(data);
  program.lastMs = performance.now() - start;
  return program.result();
}

/** Runs `fn` on tfjs's own backend with the random numbers that a compiled step would draw. */
function eagerFunction<Args extends readonly unknown[], Result>(
  fn: (...args: unknown[]) => unknown,
  name: string,
): CompiledFunction<Args, Result> {
  const runSync = (...args: unknown[]): unknown => {
    const flat = flattenArguments(args, name);
    stepRandom.state();
    stepRandom.call = 0;
    try {
      return tf.tidy(() => {
        const tensors = flat.leaves.map((leaf) => tf.tensor(leaf.data().slice(), [...leaf.shape], leaf.dtype));
        const { tensors: results, rebuild } = flattenResult(fn(...flat.rebuild(tensors)), name);
        return rebuild(results) as tf.TensorContainer;
      });
    } finally {
      if (stepRandom.call > 0) {
        const [seed, counter] = stepRandom.state().dataSync() as Int32Array;
        stepRandom.setSeed(seed!, counter! + 1);
      }
      stepRandom.call = -1;
    }
  };
  const refuse = (what: string) => (): never => {
    throw new UsageError(`"${name}" runs eagerly; it has no ${what}. Compile it without { eager: true }.`);
  };
  const self = (...args: unknown[]): Promise<unknown> => Promise.resolve().then(() => runSync(...args));
  return Object.assign(self, {
    runSync,
    traceCount: 0,
    graph: refuse('graph'),
    toOnnx: refuse('ONNX form'),
    profile: refuse('profile'),
    memory: () => ({ bufferBytes: 0, variableBytes: 0 }),
    dispose: () => {},
  }) as unknown as CompiledFunction<Args, Result>;
}
