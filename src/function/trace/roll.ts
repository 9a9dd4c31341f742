/** Recurrent layers in a trace: one step is recorded once, as the body of a loop, with its gradient as a second loop. */
import * as tf from '#tf';
import { recurrence } from '#tf';
import { sizeOf } from '../dtype.js';
import { makeValue, producer, type Call, type Value } from '../graph/ir.js';
import { LoopBody, makeLoop, outputSpec, placeholder, type LoopOutput } from '../graph/loop.js';
import { currentOrigin } from './scope.js';
import { engine, type TapeNode } from './engine.js';
import { gradientsOf } from './tape.js';
import { closeOver, recordStep, type RecordedStep } from './loop-step.js';
import type { Trace } from './trace.js';

type Roll = NonNullable<typeof recurrence.roll>;

/** Shorter loops are unrolled. */
const MIN_STEPS = 8;

/** The loop over time steps for a trace; falls back to tfjs's own where steps differ from one another. */
export function rollIn(trace: Trace): Roll {
  return (unrolled, args) => roll(trace, args) ?? unrolled(...args);
}

function roll(trace: Trace, args: Parameters<Roll>[1]): ReturnType<Roll> | undefined {
  const [step, inputs, initialStates, goBackwards, givenMask, constants, unroll, needPerStepOutputs] = args;
  const steps = inputs.shape[1] ?? 0;
  const { state } = engine();
  if (inputs.rank < 3 || steps < MIN_STEPS || sizeOf(inputs.shape) === 0 || constants != null || unroll) return undefined;
  // A second derivative would differentiate the loop's own gradient.
  if (state.gradientDepth > 1 || initialStates.some((s) => s.dtype !== 'float32' || s.size === 0)) return undefined;
  return tf.tidy(() => {
    const axes = [1, 0, ...Array.from({ length: inputs.rank - 2 }, (_, i) => i + 2)];
    const timeMajor = (t: tf.Tensor): tf.Tensor => (goBackwards ? tf.reverse(tf.transpose(t, axes), 0) : tf.transpose(t, axes));
    const stacks = [timeMajor(inputs)];
    if (givenMask != null) {
      const mask = tf.cast(tf.cast(givenMask, 'bool'), 'float32');
      stacks.push(timeMajor(mask.rank === inputs.rank - 1 ? tf.expandDims(mask, -1) : mask));
    }
    const recorded = recordStep(trace, givenMask == null ? plain(step) : masked(step), stacks, initialStates);
    if (recorded === undefined) return undefined;
    const [last, all, states] = forward(trace, recorded, stacks, initialStates, needPerStepOutputs === true);
    return [last, all === undefined ? undefined : tf.transpose(all, [1, 0, ...axes.slice(2, all.rank)]), states] as ReturnType<Roll>;
  });
}

type Step = Parameters<Roll>[1][0];
/** A step over the slices of all stacks. */
export type SliceStep = (slices: tf.Tensor[], states: tf.Tensor[]) => [tf.Tensor, tf.Tensor[]];

const plain =
  (step: Step): SliceStep =>
  ([x], states) =>
    tf.tidy(() => step(x!, states) as [tf.Tensor, tf.Tensor[]]);

/** tfjs's rule: where the mask is 0 the output repeats the first state, and the states stay. */
const masked =
  (step: Step): SliceStep =>
  ([x, mask], states) =>
    tf.tidy(() => {
      const [output, next] = tf.tidy(() => step(x!, states) as [tf.Tensor, tf.Tensor[]]);
      const rest = tf.sub(tf.onesLike(mask!), mask!);
      const choose = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.add(tf.mul(a, mask!), tf.mul(b, rest));
      const chosen = next.map((s, i) => choose(s, states[i]!));
      const same = next.indexOf(output);
      return [same === 0 ? chosen[0]! : choose(output, states[0]!), chosen];
    });

/** Emits the loop and, when a gradient is being recorded, the way back through it. */
function forward(
  trace: Trace,
  recorded: RecordedStep,
  stacks: readonly tf.Tensor[],
  initial: readonly tf.Tensor[],
  needAll: boolean,
): [tf.Tensor, tf.Tensor | undefined, tf.Tensor[]] {
  const valueOf = (t: tf.Tensor): Value => trace.valueOf(t, 'rnn');
  const lastState = recorded.next.findIndex((t) => t === recorded.output);
  const stacked = needAll || lastState < 0;
  const outputs: LoopOutput[] = stacked ? [{ kind: 'stack', value: valueOf(recorded.output) }] : [];
  const body = new LoopBody(
    stacks[0]!.shape[0]!,
    false,
    recorded.calls,
    recorded.slices.map(valueOf),
    recorded.states.map((s, i) => ({ value: valueOf(s), next: valueOf(recorded.next[i]!) })),
    recorded.placeholders,
    outputs,
  );
  const call = makeLoop(body, [...stacks.map(valueOf), ...initial.map(valueOf), ...recorded.outer], currentOrigin());
  trace.calls.push(call);
  const results = call.outputs.map((v) => trace.tensor(v));
  const states = results.slice(0, initial.length);
  const all = stacked ? results[initial.length]! : undefined;
  const { state } = engine();
  if (recorded.tape !== undefined) {
    const external = recorded.external;
    const inputs: Record<string, tf.Tensor> = {};
    [stacks[0]!, ...initial, ...external].forEach((t, i) => (inputs[i] = t));
    let gradients: tf.Tensor[] | undefined;
    state.activeTape!.push({
      id: state.nextTapeNodeId++,
      kernelName: 'orbit.Loop',
      inputs,
      outputs: results,
      saved: [],
      gradient: (dys) => {
        gradients = undefined;
        const at = (i: number) => (): tf.Tensor => (gradients ??= backward(trace, recorded, call, body, dys))[i]!.clone();
        return Object.fromEntries(Object.keys(inputs).map((name, i) => [name, at(i)]));
      },
    });
  }
  const last = lastState >= 0 ? states[lastState]! : tf.squeeze(tf.slice(all!, body.steps - 1, 1), [0]);
  return [last, needAll ? all : undefined, states];
}

/** Emits the loop from the last step to the first; gives the gradients by the inputs, the initial states and the outer tensors. */
function backward(trace: Trace, recorded: RecordedStep, call: Call, body: LoopBody, dys: readonly (tf.Tensor | null)[]): tf.Tensor[] {
  const count = recorded.states.length;
  const zerosFor = (t: tf.Tensor): tf.Tensor => tf.zeros(t.shape);
  const dAll = dys[count] ?? undefined;
  const dLast = recorded.states.map((s, i) => dys[i] ?? zerosFor(s));
  const dStates = recorded.states.map((s) => trace.tensor(placeholder(s as unknown as Value)));
  const dSlice = dAll === undefined ? undefined : trace.tensor(placeholder(recorded.output as unknown as Value));
  const { calls, result } = trace.nested(() => {
    const seeds: [tf.Tensor, tf.Tensor][] = recorded.next.map((t, i) => [t, dStates[i]!]);
    if (dSlice !== undefined) seeds.push([recorded.output, dSlice]);
    const wanted = [recorded.slices[0]!, ...recorded.states, ...recorded.external];
    return gradientsOf(recorded.tape as TapeNode[], seeds, wanted).map((g, i) => g ?? zerosFor(wanted[i]!));
  });
  const [dx, ...rest] = result.map((t) => trace.valueOf(t, 'rnn'));
  const [dNext, sums] = [rest.slice(0, count), rest.slice(count)];
  const own = [...dStates, ...(dSlice === undefined ? [] : [dSlice])].map((t) => trace.valueOf(t, 'rnn'));
  const results = [dx!, ...rest];
  const closed = closeOver(calls, own, results, (v) => savedStack(call, body, v));
  const sliced = [...own.slice(count), ...closed.sliced.map((s) => s.inner)];
  const stackInputs = [...(dAll === undefined ? [] : [trace.valueOf(dAll, 'rnn')]), ...closed.sliced.map((s) => s.stack)];
  const resolve = closed.resolve;
  const back = new LoopBody(
    body.steps,
    true,
    calls,
    sliced,
    own.slice(0, count).map((value, i) => ({ value, next: resolve(dNext[i]!) })),
    closed.placeholders,
    [{ kind: 'stack', value: resolve(dx!) }, ...sums.map((v): LoopOutput => ({ kind: 'sum', value: resolve(v) }))],
  );
  const made = makeLoop(back, [...stackInputs, ...dLast.map((t) => trace.valueOf(t, 'rnn')), ...closed.outer], currentOrigin());
  trace.calls.push(made);
  const tensors = made.outputs.map((v) => tf.keep(trace.tensor(v))); // tfjs tidies up after each input's gradient
  return [tensors[count]!, ...tensors.slice(0, count), ...tensors.slice(count + 1)];
}

/** The stack over all steps of a value of the forward step; undefined for a value from elsewhere. */
function savedStack(call: Call, body: LoopBody, value: Value): Value | undefined {
  const slice = body.sliced.indexOf(value);
  if (slice >= 0) return call.inputs[slice];
  const made = producer(value);
  const own = made === undefined ? body.carried.some((c) => c.value === value) : body.calls.includes(made);
  if (!own) return undefined;
  const known = body.outputs.findIndex((o) => o.kind === 'stack' && o.value === value);
  if (known >= 0) return call.outputs[body.carried.length + known];
  const output: LoopOutput = { kind: 'stack', value };
  (body.outputs as LoopOutput[]).push(output);
  const stack = makeValue(outputSpec(body, output), { kind: 'call', call, output: call.outputs.length });
  call.outputs = [...call.outputs, stack];
  return stack;
}
