/** Checking and calling actions. */
import { UsageError } from '../errors.js';
import type { Action, ActionContext, ActionObject, Output } from './types.js';

const HOOKS = [
  'run',
  'trainBegin',
  'loopBegin',
  'evaluationBegin',
  'checkpointSaved',
  'trainEnd',
] as const satisfies readonly (keyof ActionObject)[];

/** Copies a list of actions, so that later changes of the caller's list have no effect, and checks each. */
export function freezeActions(actions: Iterable<Action> | null | undefined, name: string): readonly Action[] {
  const frozen = [...(actions ?? [])];
  frozen.forEach((action, index) => requireAction(action, `\`${name}[${index}]\``));
  return Object.freeze(frozen);
}

/** Rejects what is no action. */
export function requireAction(action: Action, what: string): void {
  if (typeof action === 'function') return;
  if (typeof action === 'object' && action !== null && HOOKS.some((hook) => typeof action[hook] === 'function')) return;
  throw new UsageError(
    `${what} is no action: it should be a function, or an object with \`run(output)\` or another of the methods ${HOOKS.slice(1).join(', ')}.`,
  );
}

/** Calls an action; await the result. */
export function runAction(action: Action, output: Output, context?: ActionContext): unknown {
  return typeof action === 'function' ? action(output, context!) : action.run?.(output, context!);
}

/** The actions that are objects, each once, in order. */
function objectsOf(...lists: readonly (readonly Action[])[]): readonly ActionObject[] {
  return [...new Set(lists.flat())].filter((action) => typeof action === 'object');
}

/** Calls the methods that objects among the actions have beside `run`. */
export class ActionHooks {
  readonly #objects: readonly ActionObject[];
  readonly #context: ActionContext;
  /** Work begun by `checkpointSaved`, which is told from inside a save. */
  #pending: Promise<unknown>[] = [];

  constructor(context: ActionContext, ...lists: readonly (readonly Action[])[]) {
    this.#context = context;
    this.#objects = objectsOf(...lists);
  }

  /** Training begins. */
  async trainBegin(): Promise<void> {
    for (const action of this.#objects) await action.trainBegin?.(this.#context);
  }

  /** An inner training loop begins. */
  async loopBegin(numSteps: number): Promise<void> {
    for (const action of this.#objects) await action.loopBegin?.(numSteps, this.#context);
  }

  /** An evaluation begins. */
  async evaluationBegin(numSteps: number): Promise<void> {
    for (const action of this.#objects) await action.evaluationBegin?.(numSteps, this.#context);
  }

  /** A checkpoint is complete. What the actions do is waited for by {@link settled}. */
  checkpointSaved(event: { readonly path: string; readonly step: number }): void {
    const listeners = this.#objects.filter((action) => action.checkpointSaved !== undefined);
    if (listeners.length === 0) return;
    const work = (async () => {
      for (const action of listeners) await action.checkpointSaved!(event, this.#context);
    })();
    work.catch(() => undefined); // thrown by `settled`
    this.#pending.push(work);
  }

  /** Waits for what `checkpointSaved` began. */
  async settled(): Promise<void> {
    for (const work of this.#pending.splice(0)) await work;
  }

  /** Training ended. All actions are told, also where one fails; the first failure is thrown. */
  async trainEnd(error: unknown): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#objects) {
      try {
        await action.trainEnd?.(error, this.#context);
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
