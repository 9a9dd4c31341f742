/** Finds for every live object its value in a checkpoint, and what is left over on either side; changes nothing yet. */
import { isLayersModel, isVariable, type VariableLike } from '../tf/object-paths.js';
import { describeTensor } from './dtypes.js';
import { tensorReference, tensorReferences, type Json, type TensorReference } from './encoding.js';
import { asStateful, isCounter, isNesting, itemVariables, presentItems, type CheckpointItems, type Counter } from './items.js';
import type { TensorInfo } from './safetensors-header.js';
import type { Stateful } from './state.js';

/** What to do with one live object. */
export type Assignment =
  | { readonly kind: 'stateful'; readonly path: string; readonly target: Stateful; readonly value: Json }
  | { readonly kind: 'counter'; readonly path: string; readonly target: Counter; readonly value: number }
  | { readonly kind: 'variable'; readonly path: string; readonly target: VariableLike; readonly value: TensorReference };

/** The result of matching. Paths are `<item>/<path within the item>`. */
export interface Match {
  readonly assignments: readonly Assignment[];
  /** Live objects that the checkpoint has no value for. */
  readonly missing: readonly string[];
  /** Values that no live object takes. */
  readonly unused: readonly string[];
  /** Those of `unused` that belong to a model that is there. */
  readonly unusedInModels: readonly string[];
  /** Values of another kind, shape or dtype than the object needs, in words. */
  readonly conflicts: readonly string[];
}

/** Matches live items with the saved ones by name. `info` gives dtype and shape of a saved tensor. */
export function matchItems(
  items: CheckpointItems,
  saved: Readonly<Record<string, Json>>,
  info: (ref: TensorReference) => TensorInfo | undefined,
): Match {
  const assignments: Assignment[] = [];
  const missing: string[] = [];
  const unused: string[] = [];
  const unusedInModels: string[] = [];
  const conflicts: string[] = [];

  const variable = (target: VariableLike, value: Json | undefined, path: string): void => {
    if (value === undefined) return void missing.push(path);
    const ref = tensorReference(value);
    const found = ref && info(ref);
    if (!ref || !found) return void conflicts.push(`${path}: expected ${describeTensor(target)}, the checkpoint has no tensor there`);
    if (found.dtype !== target.dtype || found.shape.join() !== target.shape.join()) {
      return void conflicts.push(
        `${path}: expected ${describeTensor(target)}, found ${describeTensor(found)} (tensor "${ref.name}" of ${ref.file})`,
      );
    }
    assignments.push({ kind: 'variable', path, target, value: ref });
  };

  const children = (live: Iterable<readonly [string, unknown]>, value: Json | undefined, path: string, isModel: boolean): void => {
    const record = typeof value === 'object' && value !== null && !tensorReference(value) ? (value as Record<string, Json>) : {};
    const left = new Set(Object.keys(record));
    for (const [key, child] of live) {
      const storedKey = key.startsWith('$') ? `$${key}` : key;
      left.delete(storedKey);
      visit(child, Object.hasOwn(record, storedKey) ? record[storedKey] : undefined, path === '' ? key : `${path}/${key}`, isModel);
    }
    for (const key of left) {
      const at = path === '' ? key : `${path}/${key}`;
      unused.push(at);
      if (isModel) unusedInModels.push(at);
    }
  };

  const visit = (item: unknown, value: Json | undefined, path: string, inModel: boolean): void => {
    const isModel = inModel || path === 'model' || isLayersModel(item);
    const stateful = asStateful(item);
    if (isVariable(item) && !stateful) return variable(item, value, path);
    if (stateful || isCounter(item)) {
      if (value === undefined) missing.push(path);
      else if (stateful) assignments.push({ kind: 'stateful', path, target: stateful, value });
      else if (typeof value === 'number') assignments.push({ kind: 'counter', path, target: item as Counter, value });
      else conflicts.push(`${path}: expected a number, the checkpoint has something else there`);
      return;
    }
    if (isNesting(item)) return children(presentItems(item), value, path, isModel);
    if (value === undefined) return void missing.push(path);
    children([...itemVariables(item, path)].map(([v, name]) => [name, v] as const), value, path, isModel); // prettier-ignore
  };

  children(presentItems(items), saved, '', false);
  return { assignments, missing, unused, unusedInModels, conflicts };
}

/** The tensors that the assignments need. */
export function neededTensors(match: Match): TensorReference[] {
  return match.assignments.flatMap((a) => (a.kind === 'variable' ? [a.value] : a.kind === 'stateful' ? tensorReferences(a.value) : []));
}
