/**
 * The items of a checkpoint: which objects can join, and the state of each at this moment.
 *
 * A {@link Stateful} gives its `stateDict`, a tfjs optimizer its steps and slots; a counter `{value, assign}` its number; a tfjs variable its value; records and
 * arrays are nested items; any other object (a tfjs model or layer, an object of a user's class) its variables by object path.
 */
import { UsageError } from '../errors.js';
import { isLayersModel, isVariable, variablePaths } from '../tf/object-paths.js';
import { encodeState, type Json } from './encoding.js';
import { modelFile, stateFile, type Snapshot } from './write-snapshot.js';
import { isStateful, type Stateful, type StateTensor } from './state.js';
import { tfOptimizerState } from './tf-optimizer.js';

/** Objects to save and restore, by name. Null and undefined entries are left out. */
export type CheckpointItems = Readonly<Record<string, unknown>>;

/** A host counter, such as the global step. */
export interface Counter {
  /** The count. */
  readonly value: number;
  /** Sets the count. */
  assign(value: number): void;
}

/** Tells whether `x` is a {@link Counter}. */
export function isCounter(x: unknown): x is Counter {
  if (typeof x !== 'object' || x === null) return false;
  const c = x as Partial<Counter>;
  return typeof c.value === 'number' && typeof c.assign === 'function';
}

/** The item as {@link Stateful}, if it is one or a tfjs optimizer. */
export function asStateful(item: unknown): Stateful | undefined {
  return isStateful(item) ? item : tfOptimizerState(item);
}

/** Tells whether `x` is a plain record or an array, that is, a nesting of items. */
export function isNesting(x: unknown): x is Readonly<Record<string, unknown>> {
  if (typeof x !== 'object' || x === null) return false;
  const prototype: unknown = Object.getPrototypeOf(x);
  return Array.isArray(x) || prototype === Object.prototype || prototype === null;
}

/**
 * Takes the state of all items, synchronously.
 * @param copy copy the arrays that items hand out, because the snapshot outlives this moment
 */
export function takeSnapshot(items: CheckpointItems, copy: boolean): Snapshot {
  const tensors = { [modelFile]: new Map<string, StateTensor>(), [stateFile]: new Map<string, StateTensor>() };
  const tree: [string, Json][] = [];
  for (const [key, item] of presentItems(items)) {
    const inModelFile = key === 'model' || isLayersModel(item);
    const file = inModelFile ? modelFile : stateFile;
    const json = encodeState(liveState(item, key), key, (tensor, path, fresh) => {
      const wanted = key === 'model' && path !== key ? path.slice(key.length + 1) : path;
      let name = wanted;
      for (let n = 1; tensors[file].has(name) || name === '__metadata__'; n++) name = `${wanted}#${n}`;
      tensors[file].set(name, copy && !fresh ? { ...tensor, data: tensor.data.slice() } : tensor);
      return { file, name };
    });
    tree.push([key, json]);
  }
  const step = items['globalStep'] ?? items['global_step'];
  return { step: isCounter(step) ? step.value : null, items: Object.fromEntries(tree), tensors };
}

/** The items that are there. */
export function presentItems(items: CheckpointItems): [string, unknown][] {
  return Object.entries(items).filter(([, item]) => item !== null && item !== undefined);
}

/** The variables of an object that is neither stateful nor a counter, variable or nesting; by object path. */
export function itemVariables(item: unknown, path: string): ReturnType<typeof variablePaths> {
  const variables = typeof item === 'object' ? variablePaths(item) : new Map();
  if (variables.size > 0) return variables;
  if (isLayersModel(item)) {
    if ((item as { layers: readonly unknown[] }).layers.length > 0) return variables; // layers without weights
    throw new UsageError(`The model "${path}" has no layers yet, so there is nothing to save or restore. Add its layers first.`);
  }
  const what = typeof item === 'object' && item !== null ? `an object of class ${item.constructor?.name}` : `a ${typeof item}`;
  throw new UsageError(
    `"${path}" cannot be part of a checkpoint: it is ${what} without variables. Give it stateDict() and loadStateDict(), or pass a tfjs model, a variable, a counter {value, assign}, or a record of these.`,
  );
}

function liveState(item: unknown, path: string): unknown {
  const stateful = asStateful(item);
  if (stateful) return stateful.stateDict();
  if (isCounter(item)) return item.value;
  if (isVariable(item)) return item;
  if (isNesting(item)) {
    const entries = presentItems(item).map(([key, child]) => [key, liveState(child, `${path}/${key}`)] as const);
    return Object.fromEntries(entries);
  }
  return Object.fromEntries([...itemVariables(item, path)].map(([variable, name]) => [name, variable]));
}
