// Stateful recurrent layers keep their states in variables, so that compiled steps read and assign them as eager ones do.
import * as core from '@tensorflow/tfjs-core';
import { RNN } from '@tensorflow/tfjs-layers';
import { initScope } from './init-scope.js';

interface Stateful {
  stateful: boolean;
  name: string;
  states_: core.Tensor[] | null;
  resetStates(states?: core.Tensor | core.Tensor[] | null, training?: boolean): void;
}

/** Replaces how tfjs's recurrent layers keep their states from batch to batch. */
export function installStateful(): void {
  const prototype = RNN.prototype as unknown as Stateful;
  const { resetStates } = prototype;
  prototype.resetStates = function (states, training) {
    const held = this.states_;
    const variables = held?.every((s) => s instanceof core.Variable) ? (held as core.Variable[]) : undefined;
    const given = states == null ? undefined : Array.isArray(states) ? states : [states];
    if (!this.stateful || (variables !== undefined && given !== undefined && given.length !== variables.length)) {
      resetStates.call(this, states, training); // throws with tfjs's own words
      return;
    }
    if (variables === undefined) {
      initScope(() => {
        resetStates.call(this, null, training);
        const zeros = this.states_!;
        this.states_ = zeros.map((s) => core.variable(s, false));
        core.dispose(zeros);
      });
      if (given === undefined) return;
    }
    const own = this.states_ as core.Variable[];
    const next = given ?? own.map((s) => core.zeros(s.shape));
    next.forEach((value, i) => {
      if (!core.util.arraysEqual(value.shape, own[i]!.shape)) {
        throw new Error(
          `State ${i} is incompatible with layer ${this.name}: expected shape=${own[i]!.shape.join()}, received shape=${value.shape.join()}`,
        );
      }
      own[i]!.assign(value);
    });
  };
}
