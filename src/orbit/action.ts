/** Checking and calling actions. */
import { UsageError } from '../errors.js';
import type { Action, Output } from './types.js';

/** Copies a list of actions, so that later changes of the caller's list have no effect, and checks each. */
export function freezeActions(actions: Iterable<Action> | null | undefined, name: string): readonly Action[] {
  const frozen = [...(actions ?? [])];
  frozen.forEach((action, index) => requireAction(action, `\`${name}[${index}]\``));
  return Object.freeze(frozen);
}

/** Rejects what is no action. */
export function requireAction(action: Action, what: string): void {
  if (typeof action === 'function' || typeof (action as { run?: unknown } | null)?.run === 'function') return;
  throw new UsageError(`${what} is no action: it should be a function, or an object with \`run(output)\`.`);
}

/** Calls an action; await the result. */
export function runAction(action: Action, output: Output): unknown {
  return typeof action === 'function' ? action(output) : action.run(output);
}
