/** The state of tfjs's own optimizers (`tf.train.adam`, …), which have no complete one to offer: steps, fields and slots. */
import { CheckpointError } from '../errors.js';
import { isVariable, type VariableLike } from '../tf/object-paths.js';
import { describeTensor } from './dtypes.js';
import { isStateTensor, type StateDict, type Stateful, type StateTensor, type StateValue } from './state.js';
import { assignVariable, createVariable } from './tf-variables.js';

interface Slot {
  originalName: string;
  variable: VariableLike & { dispose(): void };
}

type TfOptimizer = Record<string, unknown> & { readonly iterations: number };

/** The state of a tfjs optimizer as {@link Stateful}; undefined if `x` is not one. */
export function tfOptimizerState(x: unknown): Stateful | undefined {
  if (typeof x !== 'object' || x === null) return undefined;
  const optimizer = x as TfOptimizer;
  const methods = ['minimize', 'computeGradients', 'applyGradients'];
  if (!methods.every((m) => typeof optimizer[m] === 'function') || typeof optimizer.iterations !== 'number') return undefined;
  return { stateDict: () => save(optimizer), loadStateDict: (state) => load(optimizer, state) };
}

function save(optimizer: TfOptimizer): StateDict {
  const fields: [string, StateValue][] = [];
  const slots: [string, StateValue][] = [];
  for (const [name, value] of Object.entries(optimizer)) {
    if (isVariable(value))
      fields.push([name, value as unknown as StateTensor]); // read when the state is encoded
    else if (isSlots(value)) slots.push([name, value.map((s) => ({ name: s.originalName, value: s.variable as unknown as StateTensor }))]);
  }
  return {
    class: classOf(optimizer),
    iterations: optimizer.iterations,
    fields: Object.fromEntries(fields),
    slots: Object.fromEntries(slots),
  };
}

function load(optimizer: TfOptimizer, state: StateDict): void {
  const { class: name, iterations, fields = {}, slots = {} } = state;
  if (name !== classOf(optimizer))
    throw new CheckpointError(`the state is that of ${JSON.stringify(name)}, the optimizer is a ${classOf(optimizer)}.`);
  const assignments: (() => void)[] = [];
  for (const [field, value] of Object.entries(fields as StateDict)) {
    assignments.push(assignment(field, optimizer[field], value));
  }
  for (const [field, value] of Object.entries(slots as StateDict)) {
    const saved = value as { name: string; value: StateTensor }[];
    const live = optimizer[field];
    if (!Array.isArray(live)) throw new CheckpointError(`the optimizer has no slots "${field}".`);
    const list = live as Slot[];
    saved.forEach((slot, i) => {
      if (list[i]) assignments.push(assignment(`${field}/${i}`, list[i].variable, slot.value));
      else assignments.push(() => void (list[i] = { originalName: slot.name, variable: createVariable(slot.value) as Slot['variable'] }));
    });
    assignments.push(() => list.splice(saved.length).forEach((s) => s.variable.dispose()));
  }
  for (const assign of assignments) assign();
  optimizer['iterations_'] = iterations; // where tfjs keeps what its getter `iterations` gives
}

function assignment(path: string, live: unknown, saved: unknown): () => void {
  if (!isVariable(live) || !isStateTensor(saved)) throw new CheckpointError(`the optimizer has no variable "${path}".`);
  if (describeTensor(live) !== describeTensor(saved)) {
    throw new CheckpointError(`${path}: expected ${describeTensor(live)}, found ${describeTensor(saved)}.`);
  }
  return () => assignVariable(live, saved);
}

function isSlots(value: unknown): value is Slot[] {
  return Array.isArray(value) && value.every((s) => typeof s === 'object' && s !== null && isVariable((s as Slot).variable));
}

function classOf(optimizer: TfOptimizer): string {
  const { getClassName } = optimizer as { getClassName?: () => string };
  return getClassName?.call(optimizer) ?? optimizer.constructor.name;
}
