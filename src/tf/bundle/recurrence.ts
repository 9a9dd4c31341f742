// The seam at which the compiler takes over tfjs's loop over time steps (`rnn` of the recurrent layers).
import type * as core from '@tensorflow/tfjs-core';

/** One step: its input and the states before it give its output and the states after it. */
type RecurrentStep = (input: core.Tensor, states: core.Tensor[]) => [core.Tensor, core.Tensor[]];

/** Arguments of tfjs's loop: step, inputs [batch, time, …], initial states, backwards, mask, constants, unroll, whether all outputs are asked for. */
type RecurrentArguments = [
  step: RecurrentStep,
  inputs: core.Tensor,
  initialStates: core.Tensor[],
  goBackwards?: boolean,
  mask?: core.Tensor | null,
  constants?: core.Tensor[] | null,
  unroll?: boolean,
  needPerStepOutputs?: boolean,
];

/** Last output, all outputs [batch, time, …] if asked for, and last states. */
type RecurrentResult = [core.Tensor, core.Tensor | undefined, core.Tensor[]];

/** Where the compiler hooks in. */
interface Recurrence {
  /** Runs the loop in place of tfjs's own, which it gets as `unrolled`; null leaves tfjs alone. */
  roll: ((unrolled: (...args: RecurrentArguments) => RecurrentResult, args: RecurrentArguments) => RecurrentResult) | null;
}

/** The loop over time steps, for the compiler. @internal */
export const recurrence: Recurrence = { roll: null };
