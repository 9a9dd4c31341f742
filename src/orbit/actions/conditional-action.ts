/** An action that runs others when a condition holds. */
import { requireAction, runAction } from '../action.js';
import { UsageError } from '../../errors.js';
import type { Action, ActionContext, ActionObject, Output } from '../types.js';

/** Decides from an output: a function, or an object with `run(output)` such as `NewBestMetric`. What it returns is awaited. */
export type Condition = Action;

/** Calls its actions, in order, with every output for which the condition is truthy. */
export class ConditionalAction implements ActionObject {
  readonly #condition: Condition;
  readonly #actions: readonly Action[];

  /** @param action one action or several */
  constructor(condition: Condition, action: Action | readonly Action[]) {
    requireAction(condition, 'The condition of a `ConditionalAction`');
    this.#condition = condition;
    this.#actions = isList(action) ? [...action] : [action];
    if (this.#actions.length === 0) throw new UsageError('A `ConditionalAction` needs at least one action.');
    this.#actions.forEach((one, index) => requireAction(one, `Action ${index} of a \`ConditionalAction\``));
  }

  /** Tests the condition and calls the actions. The controller passes the context. */
  async run(output: Output, context?: ActionContext): Promise<void> {
    if (!(await runAction(this.#condition, output, context))) return;
    for (const action of this.#actions) await runAction(action, output, context);
  }
}

function isList(action: Action | readonly Action[]): action is readonly Action[] {
  return Array.isArray(action);
}
