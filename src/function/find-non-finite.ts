/** Finding where a step's numbers first stop being finite: the traced program, run once with every value as an output. */
import type { TypedArray } from './dtype.js';
import { sizeOf } from './dtype.js';
import { roots, type Call, type Graph, type Value } from './graph/ir.js';
import { lower } from './graph/lower.js';
import { Executable } from './runtime/executable.js';
import type { SessionOptions } from './runtime/session.js';
import { userLine } from './trace/origin.js';

/** What a value of a program is to its reader. */
export type NonFiniteSource = 'argument' | 'variable' | 'captured' | 'operation';

/** The first value of a step that holds NaN or an infinity and through which the step's results came to hold one. */
export interface NonFiniteValue {
  /** Where the value comes from. With `operation` all inputs of the operation were finite. */
  readonly source: NonFiniteSource;
  /** The variable's name, `argument 1`, or the tfjs kernel of the operation, such as `Log`. */
  readonly name: string;
  /** The part of the model, such as `sequential_1/dense_1` or `gradient of …`; null where it is not known. */
  readonly layer: string | null;
  /** The line of user code that called the operation, as `file:line:column`; null where there is none. */
  readonly line: string | null;
  /** Its element type. */
  readonly dtype: string;
  /** Its sizes. */
  readonly shape: readonly number[];
  /** How many elements are NaN. */
  readonly nan: number;
  /** How many elements are infinite. */
  readonly infinite: number;
  /** Names of the variables among the operation's inputs. */
  readonly variables: readonly string[];
  /** The smallest and largest number of each input of the operation, in order. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly min: number; readonly max: number }[];
  /** The whole in one sentence. */
  toString(): string;
}

/** Values that are looked at in one run, in bytes: a step's intermediate values need not fit into memory all at once. */
const BYTES_AT_A_TIME = 256 * 2 ** 20;

/** Range and counts of one value. */
interface Stats {
  readonly min: number;
  readonly max: number;
  readonly nan: number;
  readonly infinite: number;
}

/**
 * Runs a program without changing any variable and looks at every value. Infinities that lead to nothing bad, such as those of an
 * attention mask, do not count.
 *
 * @param graph the program as it was traced
 * @param data the arguments
 * @returns null when all results and all new values of variables are finite
 */
export function findNonFinite(graph: Graph, data: readonly TypedArray[], options: SessionOptions): NonFiniteValue | null {
  const stats = new Map<Value, Stats>();
  graph.inputs.forEach((value, i) => stats.set(value, statsOf(data[i]!)));
  for (const value of new Set([...graph.calls.flatMap((call) => call.inputs), ...roots(graph)])) {
    const { source } = value;
    if (source.kind === 'variable') stats.set(value, statsOf(source.variable.dataSync() as TypedArray));
    else if (source.kind === 'captured') stats.set(value, statsOf(source.tensor.dataSync() as TypedArray));
    else if (source.kind === 'constant') stats.set(value, statsOf(source.data));
  }
  for (const part of parts(graph)) look(graph, part, data, options, stats);
  const bad = (value: Value): boolean => {
    const { nan = 0, infinite = 0 } = stats.get(value) ?? {};
    return nan + infinite > 0;
  };
  const culprit = firstBad(graph, bad);
  return culprit === null ? null : describe(culprit, graph, stats);
}

/** The calls in order, in groups whose outputs are small enough. */
function* parts(graph: Graph): Generator<{ readonly calls: readonly Call[]; readonly outputs: readonly Value[] }> {
  let outputs: Value[] = [];
  let bytes = 0;
  for (const [i, call] of graph.calls.entries()) {
    for (const value of call.outputs) {
      if (value.dtype !== 'float32') continue;
      outputs.push(value);
      bytes += 4 * sizeOf(value.shape);
    }
    if (bytes < BYTES_AT_A_TIME && i < graph.calls.length - 1) continue;
    if (outputs.length > 0) yield { calls: graph.calls.slice(0, i + 1), outputs };
    outputs = [];
    bytes = 0;
  }
}

/** Runs the calls up to the end of a part and notes what its outputs hold. */
function look(
  { name, inputs }: Graph,
  { calls, outputs }: { readonly calls: readonly Call[]; readonly outputs: readonly Value[] },
  data: readonly TypedArray[],
  options: SessionOptions,
  stats: Map<Value, Stats>,
): void {
  const graph: Graph = { name, inputs, calls, outputs, assignments: [] };
  const executable = new Executable(graph, [{ kind: 'graph', graph, lowered: lower(graph) }], options);
  try {
    executable.dryRun(data);
    for (const [i, array] of executable.outputArrays().entries()) stats.set(outputs[i]!, statsOf(array));
  } finally {
    executable.close();
  }
}

/** Goes back from the bad results through bad values; of the values where the trail ends, the one computed first. */
function firstBad(graph: Graph, bad: (value: Value) => boolean): Value | null {
  const order = new Map(graph.calls.map((call, i) => [call, i]));
  const seen = new Set<Value>();
  const waiting = roots(graph).filter(bad);
  let first: Value | null = null;
  let firstAt = Infinity;
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    const call = value.source.kind === 'call' ? value.source.call : null;
    const worse = call?.inputs.filter(bad) ?? [];
    waiting.push(...worse);
    const at = call === null ? -1 : order.get(call)!;
    if (worse.length > 0 || at >= firstAt) continue;
    first = value;
    firstAt = at;
  }
  return first;
}

function describe(value: Value, graph: Graph, stats: ReadonlyMap<Value, Stats>): NonFiniteValue {
  const { source, dtype, shape } = value;
  const { nan, infinite } = stats.get(value)!;
  const common = { dtype, shape, nan, infinite };
  const call = source.kind === 'call' ? source.call : null;
  const origin = call?.origin as
    { readonly scope?: string; readonly stack?: string; readonly at?: { readonly stack?: string } } | undefined;
  const found = {
    ...common,
    source: call !== null ? ('operation' as const) : leafKind(value),
    name: call?.kernel ?? leafName(value, graph),
    layer: origin?.scope || null,
    line: userLine(origin?.stack) ?? userLine(origin?.at?.stack) ?? null,
    variables: (call?.inputs ?? []).flatMap((v) => (v.source.kind === 'variable' ? [v.source.variable.name] : [])),
    inputs: (call?.inputs ?? []).flatMap((v, i) => {
      const range = stats.get(v);
      return range === undefined ? [] : [{ name: call!.inputNames[i]!, shape: v.shape, min: range.min, max: range.max }];
    }),
  };
  return { ...found, toString: () => sentence(found) };
}

function sentence(found: Omit<NonFiniteValue, 'toString'>): string {
  const { source, name, layer, line, shape, nan, infinite, variables, inputs } = found;
  const counts = [nan > 0 ? `${nan} NaN` : '', infinite > 0 ? `${infinite} infinite` : ''].filter(Boolean).join(' and ');
  const holds = `float32[${shape.join(', ')}] with ${counts} of ${sizeOf(shape)} values`;
  if (source === 'variable') return `the variable "${name}" was ${holds} before the step`;
  if (source !== 'operation') return `${name} of the step was ${holds}`;
  const place = [layer === null ? '' : ` in ${layer}`, line === null ? '' : ` at ${line}`].join('');
  const of =
    variables.length === 0 ? '' : ` of the variable${variables.length > 1 ? 's' : ''} ${variables.map((v) => `"${v}"`).join(', ')}`;
  const ranges = inputs.map((i) => `${i.name} from ${short(i.min)} to ${short(i.max)}`).join(', ');
  return `the result of ${name}${of}${place}: ${holds}${ranges === '' ? '' : `, from finite inputs (${ranges})`}`;
}

const short = (x: number): string => String(Number(x.toPrecision(4)));

function leafKind({ source }: Value): NonFiniteSource {
  return source.kind === 'variable' ? 'variable' : source.kind === 'input' ? 'argument' : 'captured';
}

function leafName({ source }: Value, graph: Graph): string {
  if (source.kind === 'variable') return source.variable.name;
  if (source.kind === 'input') return `argument ${source.index + 1} (of ${graph.inputs.length})`;
  return source.kind === 'captured' ? 'a tensor from outside' : 'a constant';
}

function statsOf(array: TypedArray): Stats {
  let [min, max, nan, infinite] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < array.length; i++) {
    const x = array[i]!;
    if (x !== x) nan++;
    else if (x === Infinity || x === -Infinity) infinite++;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return { min, max, nan, infinite };
}
