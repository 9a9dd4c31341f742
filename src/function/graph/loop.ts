/** Loops over time steps: a call whose attribute is the program of one step. */
import { formatSpec } from '../dtype.js';
import { makeCall, makeValue, type Call, type Value } from './ir.js';

/** The kernel that runs a loop. */
export const LOOP = 'orbit.Loop';

/** A state: its value before the step, and after it. */
export interface Carried {
  readonly value: Value;
  readonly next: Value;
}

/** What a loop gives besides its last states: a value of every step, stacked in order of time, or the sum over all steps. */
export interface LoopOutput {
  readonly kind: 'stack' | 'sum';
  readonly value: Value;
}

/**
 * The program of one step. It refers to nothing outside: its placeholders stand for the inputs of the call, in the order
 * sliced (stacks [time, …] of which a step sees one slice), carried (initial states), captured (the same in every step).
 * The call's outputs are the last states, then `outputs`.
 */
export class LoopBody {
  private static made = 0;
  private readonly id = LoopBody.made++;

  constructor(
    readonly steps: number,
    /** Runs from the last slice to the first. */
    readonly reverse: boolean,
    readonly calls: readonly Call[],
    readonly sliced: readonly Value[],
    readonly carried: readonly Carried[],
    readonly captured: readonly Value[],
    readonly outputs: readonly LoopOutput[],
  ) {}

  /** Loops are never equal to one another. */
  toJSON(): string {
    return `loop ${this.id}`;
  }

  toString(): string {
    return `${this.steps} steps${this.reverse ? ', backwards' : ''}`;
  }
}

/** The body of a call, or undefined when it is no loop. */
export function loopBody(call: Call): LoopBody | undefined {
  return call.kernel === LOOP ? (call.attrs['body'] as LoopBody) : undefined;
}

/** A value that stands for an input of a loop's step. */
export function placeholder(spec: Pick<Value, 'dtype' | 'shape'>): Value {
  return makeValue({ dtype: spec.dtype, shape: [...spec.shape] }, { kind: 'input', index: -1 });
}

/** A call of a loop. `inputs` in the order of the body's placeholders. */
export function makeLoop(body: LoopBody, inputs: readonly Value[], origin: Call['origin'] = {}): Call {
  const names = [
    ...body.sliced.map((_, i) => `x${i}`),
    ...body.carried.map((_, i) => `state${i}`),
    ...body.captured.map((_, i) => `outer${i}`),
  ];
  if (names.length !== inputs.length) throw new Error(`a loop of ${names.length} inputs got ${inputs.length}`);
  const named = Object.fromEntries(names.map((name, i) => [name, inputs[i]!]));
  const specs = [...body.carried.map(({ value }) => value), ...body.outputs.map((o) => outputSpec(body, o))];
  return makeCall(LOOP, named, { body }, specs, origin);
}

/** dtype and shape of an output of a loop. */
export function outputSpec(body: LoopBody, { kind, value }: LoopOutput): Pick<Value, 'dtype' | 'shape'> {
  return { dtype: value.dtype, shape: kind === 'stack' ? [body.steps, ...value.shape] : value.shape };
}

/** The inputs of a loop's call by their part. */
export function loopInputs(call: Call, body: LoopBody): { stacks: readonly Value[]; initial: readonly Value[]; outer: readonly Value[] } {
  const [a, b] = [body.sliced.length, body.sliced.length + body.carried.length];
  return { stacks: call.inputs.slice(0, a), initial: call.inputs.slice(a, b), outer: call.inputs.slice(b) };
}

/** A short text of a body for messages. */
export function describeLoop(body: LoopBody): string {
  return `${body.calls.length} calls over ${body.carried.map(({ value }) => formatSpec(value)).join(', ')}`;
}
