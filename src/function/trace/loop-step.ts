/** Recording the step of a loop, and finding out whether all steps are alike. */
import * as tf from '#tf';
import { stepRandom } from '#tf';
import type { Call, Value } from '../graph/ir.js';
import { placeholder } from '../graph/loop.js';
import { engine, type MutableVariable, type TapeNode } from './engine.js';
import type { SliceStep } from './roll.js';
import type { Trace } from './trace.js';

/** One recorded step. */
export interface RecordedStep {
  readonly slices: tf.Tensor[];
  readonly states: tf.Tensor[];
  readonly output: tf.Tensor;
  readonly next: tf.Tensor[];
  readonly calls: readonly Call[];
  /** Placeholders of values from outside, and those values. */
  readonly placeholders: readonly Value[];
  readonly outer: readonly Value[];
  /** tfjs's tape of the step; undefined when no gradient is recorded. */
  readonly tape: TapeNode[] | undefined;
  /** Float tensors from outside that the step is differentiable by. */
  readonly external: tf.Tensor[];
}

type Draft = Omit<RecordedStep, 'placeholders' | 'outer' | 'external'> & { readonly draws: number };

/**
 * Records one step of a loop. What a first step makes once for all (dropout masks) stays outside the loop.
 *
 * @returns undefined when steps differ (they draw new random numbers, assign variables, or change a state's shape).
 */
export function recordStep(
  trace: Trace,
  step: SliceStep,
  stacks: readonly tf.Tensor[],
  initial: readonly tf.Tensor[],
): RecordedStep | undefined {
  const variables = Object.values(engine().registeredVariables).map((v) => [v, v.dataId as object] as const);
  const draws = stepRandom.call;
  const run = (): Draft => record(trace, step, stacks, initial);
  const first = run();
  let accepted: Draft | undefined = first;
  const second = run();
  if (textOf(trace, first) !== textOf(trace, second)) {
    keepInvariant(trace, first);
    accepted = textOf(trace, second) === textOf(trace, run()) ? second : undefined;
  }
  // What the first step alone drew is drawn once; what every step draws, tfjs's own loop will draw anew.
  stepRandom.call = draws + Math.max(0, first.draws - second.draws);
  const assigned = variables.filter(([v, id]) => (v.dataId as object) !== id);
  for (const [v, id] of assigned) (v as MutableVariable).dataId = id;
  const fits = accepted?.next.every((t, i) => t.dtype === initial[i]!.dtype && t.shape.join() === initial[i]!.shape.join());
  if (accepted === undefined || assigned.length > 0 || !fits || accepted.next.length !== initial.length) {
    return undefined;
  }
  return finish(trace, accepted);
}

function record(trace: Trace, step: SliceStep, stacks: readonly tf.Tensor[], initial: readonly tf.Tensor[]): Draft {
  const { state } = engine();
  const tensor = (t: tf.Tensor, shape: readonly number[]): tf.Tensor => trace.tensor(placeholder({ dtype: t.dtype as 'float32', shape }));
  const slices = stacks.map((t) => tensor(t, t.shape.slice(1)));
  const states = initial.map((t) => tensor(t, t.shape));
  const { activeTape, gradientDepth } = state;
  const taping = gradientDepth > 0 && state.kernelDepth === 0;
  const tape: TapeNode[] = [];
  state.activeTape = tape;
  try {
    const before = stepRandom.call;
    const { calls, result } = trace.nested(() => step(slices, [...states]));
    const draws = stepRandom.call - before;
    return { slices, states, output: result[0], next: result[1], calls, tape: taping ? tape : undefined, draws };
  } finally {
    state.activeTape = activeTape;
    state.gradientDepth = gradientDepth;
  }
}

/** Turns a draft into a step that refers to nothing outside. */
function finish(trace: Trace, draft: Draft): RecordedStep {
  const valueOf = (t: tf.Tensor): Value => trace.valueOf(t, 'rnn');
  const own = [...draft.slices, ...draft.states].map(valueOf);
  const external = externalTensors(trace, draft);
  const calls = keepInvariant(trace, draft);
  const closed = closeOver(calls, own, [draft.output, ...draft.next].map(valueOf));
  return { ...draft, calls, placeholders: closed.placeholders, outer: closed.outer, external };
}

/** Float tensors on the tape that neither the step nor its caller made. */
function externalTensors(trace: Trace, { tape, slices, states, calls }: Draft): tf.Tensor[] {
  const own = new Set([...slices, ...states, ...(tape ?? []).flatMap((n) => n.outputs)].map((t) => t.id));
  const made = new Set(calls.flatMap((c) => c.outputs));
  const found = new Map<number, tf.Tensor>();
  for (const node of tape ?? []) {
    for (const t of Object.values(node.inputs)) {
      if (own.has(t.id) || t.dtype !== 'float32') continue;
      const value = trace.valueOf(t, 'rnn');
      if (value.source.kind !== 'constant' && !made.has(value)) found.set(t.id, t);
    }
  }
  return [...found.values()];
}

/** Moves the calls of a step that depend on nothing of the step to the trace; gives the rest. */
function keepInvariant(trace: Trace, draft: Draft): Call[] {
  const rest: Call[] = [];
  const varying = new Set([...draft.slices, ...draft.states].map((t) => trace.valueOf(t, 'rnn')));
  for (const call of draft.calls) {
    const fixed = call.kernel === 'OnesLike' || call.kernel === 'ZerosLike';
    if (!fixed && call.inputs.some((v) => varying.has(v))) {
      call.outputs.forEach((v) => varying.add(v));
      rest.push(call);
    } else {
      if (fixed) detach(call);
      trace.calls.push(call);
    }
  }
  return rest;
}

/** Ones and zeros like a tensor read only its shape. */
function detach(call: Call): void {
  const { dtype, shape } = call.outputs[0]!;
  Object.assign(call, { kernel: 'Fill', inputNames: [], inputs: [], attrs: { shape, value: call.kernel === 'OnesLike' ? 1 : 0, dtype } });
}

/** The step as text, the same for steps that compute the same from the same. */
function textOf(trace: Trace, { slices, states, calls, output, next }: Draft): string {
  const names = new Map<Value, string>();
  [...slices, ...states].forEach((t, i) => names.set(trace.valueOf(t, 'rnn'), `p${i}`));
  const name = (v: Value): string =>
    names.get(v) ?? (v.source.kind === 'constant' ? `${v.dtype}[${v.shape.join()}]${Array.from(v.source.data).join()}` : `v${v.id}`);
  const lines = calls.map((call, i) => {
    const text = `${call.kernel}(${call.inputs.map(name).join()})${JSON.stringify(call.attrs)}`;
    call.outputs.forEach((v, k) => names.set(v, `t${i}.${k}`));
    return text;
  });
  return [...lines, ...[output, ...next].map((t) => name(trace.valueOf(t, 'rnn')))].join('\n');
}

/**
 * Replaces every value from outside in the calls by a placeholder.
 *
 * @param own placeholders that belong to the step already.
 * @param stackOf the stack [time, …] of a value that another loop makes at each step; undefined for values that stay the same.
 */
export function closeOver(
  calls: readonly Call[],
  own: readonly Value[],
  results: readonly Value[],
  stackOf: (value: Value) => Value | undefined = () => undefined,
): {
  placeholders: Value[];
  outer: Value[];
  sliced: { inner: Value; stack: Value }[];
  resolve: (v: Value) => Value;
} {
  const inside = new Set([...own, ...calls.flatMap((c) => c.outputs)]);
  const replaced = new Map<Value, Value>();
  const placeholders: Value[] = [];
  const outer: Value[] = [];
  const sliced: { inner: Value; stack: Value }[] = [];
  const resolve = (v: Value): Value => {
    if (inside.has(v) || v.source.kind === 'constant') return v;
    let inner = replaced.get(v);
    if (inner === undefined) {
      inner = placeholder(v);
      const stack = stackOf(v);
      if (stack !== undefined) sliced.push({ inner, stack });
      else {
        placeholders.push(inner);
        outer.push(v);
      }
      replaced.set(v, inner);
      inside.add(inner);
    }
    return inner;
  };
  for (const call of calls) call.inputs = call.inputs.map(resolve);
  results.forEach(resolve);
  return { placeholders, outer, sliced, resolve };
}
