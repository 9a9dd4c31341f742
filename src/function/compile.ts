/** `compile`: tf.function for TensorFlow.js. */
import type * as tf from '#tf';
import { stepRandom } from '#tf';
import { UsageError } from '../errors.js';
import { notice } from '../notice.js';
import { checkOptions, type CompileOptions } from './compile-options.js';
import type { CompiledFunction, CompiledMemory } from './compiled-function.js';
import type { TypedArray } from './dtype.js';
import { eagerFunction } from './eager.js';
import { findNonFinite, type NonFiniteValue } from './find-non-finite.js';
import type { OnnxOptions } from './graph/export.js';
import { encodeModel } from './graph/onnx.js';
import { passes, type PassName } from './graph/passes/index.js';
import { printGraph, type PrintOptions } from './graph/print.js';
import { profile, type Profile } from './profile.js';
import { traceProgram, type Program } from './program.js';
import { inOrder, isBusy } from './run-queue.js';
import { flattenArguments, type Flat } from './structure.js';

/**
 * Steps that take longer than this, in milliseconds, run in the background, so that timers, signals and workers are served meanwhile. Moving
 * a run to another thread costs more than the call: steps of 5 ms became 20 % slower, steps of 50 ms 2 %.
 */
export const LONG_STEP_MS = 15;
const RETRACES_BEFORE_WARNING = 5;

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
  const checked = checkOptions(options, name);
  const call = fn as unknown as (...args: unknown[]) => unknown;
  return options.eager
    ? eagerFunction(call, name)
    : (new Compiled(call, name, checked).callable() as unknown as CompiledFunction<Args, Result>);
}

class Compiled {
  private readonly programs = new Map<string, Program>();
  private traces = 0;
  private last: Program | undefined;
  /** What the signatures of the last traces were made of, newest last. */
  private readonly signatures: ReadonlyMap<string, string>[] = [];

  constructor(
    private readonly fn: (...args: unknown[]) => unknown,
    private readonly name: string,
    private readonly options: CompileOptions,
  ) {}

  callable(): CompiledFunction<unknown[], unknown> {
    const self = (...args: unknown[]): Promise<unknown> => this.run(args);
    Object.defineProperty(self, 'name', { value: this.name });
    Object.defineProperty(self, 'traceCount', { get: () => this.traces });
    Object.defineProperty(self, 'assignedVariables', { get: () => this.assignedVariables() });
    const graph = (options: PrintOptions, args: unknown[]): string => printGraph(this.program(this.flatten(args)).graph, options);
    return Object.assign(self, {
      runSync: (...args: unknown[]) => this.runSync(args),
      graph: (...args: unknown[]) => graph({}, args),
      graphWith: (options: PrintOptions, ...args: unknown[]) => graph(options, args),
      toOnnx: (...args: unknown[]) => encodeModel(this.program(this.flatten(args)).onnx({})),
      toOnnxWith: (options: OnnxOptions, ...args: unknown[]) => encodeModel(this.program(this.flatten(args)).onnx(options)),
      profile: (...args: unknown[]) => this.profile(args),
      findNonFinite: (...args: unknown[]) => this.findNonFinite(args),
      memory: () => this.memory(),
      dispose: () => this.dispose(),
    }) as unknown as CompiledFunction<unknown[], unknown>;
  }

  private run(args: unknown[]): Promise<unknown> {
    let flat: Flat;
    let data: TypedArray[];
    try {
      flat = this.flatten(args);
      data = flat.leaves.map((leaf) => leaf.data());
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (isBusy()) data = data.map((array) => array.slice()); // the caller may change them before it is their turn
    return inOrder(() => {
      const program = this.program(flat).due();
      return program.lastMs > LONG_STEP_MS ? program.runAsync(data) : program.run(data);
    });
  }

  private runSync(args: unknown[]): unknown {
    this.refuseWhileBusy('runSync');
    const flat = this.flatten(args);
    return this.program(flat)
      .due()
      .run(flat.leaves.map((leaf) => leaf.data()));
  }

  private assignedVariables(): tf.Variable[] {
    const all = new Set([...this.programs.values()].flatMap(({ graph }) => graph.assignments.map((a) => a.variable)));
    all.delete(stepRandom.state()); // the generator's, not the function's
    return [...all];
  }

  private refuseWhileBusy(what: string): void {
    if (!isBusy()) return;
    throw new UsageError(`"${this.name}".${what} was called while another compiled step runs in the background. Await that step first.`);
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
    if (this.signatures.length <= RETRACES_BEFORE_WARNING) this.signatures.push(flat.parts());
    if (this.traces === RETRACES_BEFORE_WARNING + 1) this.warnOfRetraces();
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

  private warnOfRetraces(): void {
    notice(
      `Note: the compiled function "${this.name}" was traced ${this.traces} times, which is slow. ${whatChanged(this.signatures)} ` +
        'Give batches a fixed shape (drop or pad the last short one), pass changing numbers as tensors, and pass the same objects.',
    );
  }

  private profile(args: unknown[]): Profile {
    this.refuseWhileBusy('profile'); // its runs write the buffers that the next step writes
    const flat = this.flatten(args);
    const program = this.program(flat);
    return profile(
      (options) => program.open({ ...this.options, ...options }),
      flat.leaves.map((leaf) => leaf.data()),
    );
  }

  /** Traced anew and left as it is: passes merge operations that should be told apart. */
  private findNonFinite(args: unknown[]): NonFiniteValue | null {
    this.refuseWhileBusy('findNonFinite');
    const flat = this.flatten(args);
    const disabledPasses = Object.keys(passes) as PassName[];
    const program = traceProgram(this.fn, this.name, flat, this.traces === 0, { ...this.options, disabledPasses, collective: undefined });
    return findNonFinite(
      program.graph,
      flat.leaves.map((leaf) => leaf.data()),
      this.options,
    );
  }

  private memory(): CompiledMemory {
    const executables = [...this.programs.values()].flatMap((p) => p.executables);
    const cells = new Set(executables.flatMap((e) => e.variableCells));
    const sum = (sizes: number[]): number => sizes.reduce((a, b) => a + b, 0);
    const variableBytes = sum([...cells].map((cell) => cell.byteLength));
    const bufferBytes = sum(executables.map((e) => e.byteLength));
    const arenas = executables.map((e) => e.arenaBytes);
    const arenaBytes = arenas.includes(undefined) ? undefined : sum(arenas as number[]);
    return { variableBytes, bufferBytes, arenaBytes, nativeBytes: variableBytes + bufferBytes + (arenaBytes ?? 0) };
  }

  private dispose(): void {
    for (const program of this.programs.values()) program.close();
    this.programs.clear();
    this.last = undefined;
  }
}

/** A sentence on the arguments in which signatures differ. */
function whatChanged(signatures: readonly ReadonlyMap<string, string>[]): string {
  const paths = new Set(signatures.flatMap((s) => [...s.keys()]));
  const changing = [...paths].flatMap((path) => {
    const seen = [...new Set(signatures.map((s) => s.get(path) ?? 'nothing'))];
    return seen.length > 1 ? [`${path} (${seen.slice(-4).join(', ')})`] : [];
  });
  if (changing.length === 0)
    return 'Its arguments did not change, but a number of an optimizer that it uses did (such as its learning rate).';
  return `What changed from trace to trace: ${changing.slice(0, 5).join('; ')}.`;
}
