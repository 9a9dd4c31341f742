import * as tf from '#tf';
import type { StateDict, StateTensor } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import { initScope } from '../function/index.js';

/** Variables on the host, by path. */
export type SavedState = Record<string, StateTensor>;

/** A slot: the number that fills it at the start, and its shape if that is not the variable's. */
export interface SlotSpec {
  /** The value that every element starts with. */
  readonly fill: number;
  readonly shape?: readonly number[];
}

/**
 * Slots: variables that belong to other variables, named `<slot>/<variable path>`. They are made eagerly,
 * also during a trace. A state loaded before the slots exist waits until they are made.
 */
export class SlotVariables {
  /** Object paths of variables; a variable that is not in it goes by its tfjs name. */
  paths: ReadonlyMap<unknown, string> = new Map();
  private readonly slots = new Map<tf.Variable, Readonly<Record<string, tf.Variable>>>();
  private waiting: StateDict = {};

  /**
   * @param owner prefix of the variables' tfjs names.
   * @param specs the slots that a variable of a shape and path needs, by name.
   * @param others variables without an owner that belong to the same state, by path.
   */
  constructor(
    private readonly owner: string,
    private readonly specs: (shape: readonly number[], path: string) => Readonly<Record<string, SlotSpec>>,
    private readonly others: Readonly<Record<string, tf.Variable>> = {},
  ) {}

  /** Whether any slots were made. */
  get isBuilt(): boolean {
    return this.slots.size > 0;
  }

  pathOf(variable: tf.Variable): string {
    return this.paths.get(variable) ?? variable.name;
  }

  of(variable: tf.Variable): Readonly<Record<string, tf.Variable>> | undefined {
    return this.slots.get(variable);
  }

  entries(): Iterable<[tf.Variable, Readonly<Record<string, tf.Variable>>]> {
    return this.slots.entries();
  }

  /** Makes the slots of those variables that have none. */
  build(variables: readonly tf.Variable[]): void {
    const restoring = Object.keys(this.waiting).length > 0;
    const waiting = { ...this.waiting };
    for (const variable of variables) {
      if (this.slots.has(variable)) continue;
      const made: Record<string, tf.Variable> = {};
      for (const [slot, { fill, shape = variable.shape }] of Object.entries(this.specs(variable.shape, this.pathOf(variable)))) {
        const path = `${slot}/${this.pathOf(variable)}`;
        const initial = () => (restoring ? fromSaved(waiting[path], path, shape, 'float32') : tf.fill([...shape], fill));
        made[slot] = initScope(() => createVariable(`${this.owner}/${path}`, initial()));
        delete waiting[path];
      }
      this.slots.set(variable, made);
    }
    this.waiting = waiting;
  }

  /** All variables of the state, by path. */
  variables(): Record<string, tf.Variable> {
    const all: Record<string, tf.Variable> = { ...this.others };
    for (const [variable, slots] of this.slots) {
      for (const [slot, value] of Object.entries(slots)) all[`${slot}/${this.pathOf(variable)}`] = value;
    }
    return all;
  }

  save(): SavedState {
    return { ...(this.waiting as SavedState), ...saveVariables(this.variables()) };
  }

  /** Takes over a saved state. @throws CheckpointError if it does not fit; then nothing has changed. */
  load(state: StateDict): void {
    const mine = this.variables();
    const unknown = Object.keys(state).filter((path) => !(path in mine));
    if (this.isBuilt && unknown.length > 0) {
      throw new CheckpointError(
        `${this.owner}: the saved state holds ${list(unknown)}, which is not part of it. Was it saved with another optimizer or model?`,
      );
    }
    loadVariables(this.owner, mine, state);
    this.waiting = Object.fromEntries(unknown.map((path) => [path, kept(state[path])]));
  }

  dispose(): void {
    for (const variable of Object.values(this.variables())) variable.dispose();
    this.slots.clear();
  }
}

/** A variable that is not trainable; a number is added to its name where tfjs knows the name already. Takes over `value`. Call inside `initScope`. */
export function createVariable(name: string, value: tf.Tensor): tf.Variable {
  const taken = tf.engine().registeredVariables;
  let unique = name;
  for (let n = 1; unique in taken; n++) unique = `${name}_${n}`;
  const variable = tf.variable(value, false, unique);
  value.dispose();
  return variable;
}

/** Reads variables, without copying them a second time. */
function saveVariables(variables: Record<string, tf.Variable>): SavedState {
  return Object.fromEntries(
    Object.entries(variables).map(([path, v]) => [
      path,
      { dtype: v.dtype as StateTensor['dtype'], shape: [...v.shape], data: v.dataSync() },
    ]),
  );
}

function loadVariables(owner: string, variables: Record<string, tf.Variable>, state: StateDict): void {
  const missing = Object.keys(variables).filter((path) => !state[path]);
  if (missing.length > 0)
    throw new CheckpointError(`${owner}: the saved state lacks ${list(missing)}. Was it saved with another optimizer or model?`);
  initScope(() =>
    tf.tidy(() => {
      const values = Object.entries(variables).map(([path, v]) => [v, fromSaved(state[path], path, v.shape, v.dtype)] as const);
      for (const [variable, value] of values) variable.assign(value);
    }),
  );
}

/** A saved value that nobody else changes. */
function kept(saved: StateDict[string]): StateDict[string] {
  return (saved as Partial<StateTensor> | undefined)?.owned ? saved : structuredClone(saved);
}

function fromSaved(saved: StateDict[string], path: string, shape: readonly number[], dtype: string): tf.Tensor {
  const { dtype: savedDtype, shape: savedShape, data, owned } = (saved ?? {}) as Partial<StateTensor>;
  if (savedDtype !== dtype || !data || savedShape?.length !== shape.length || savedShape.some((size, i) => size !== shape[i])) {
    const found = data ? `${savedDtype} [${savedShape}]` : saved === undefined ? 'missing' : 'no tensor';
    throw new CheckpointError(`Saved "${path}" is ${found}, but ${dtype} [${shape}] is expected. Has the model or the optimizer changed?`);
  }
  return tf.tensor((owned ? data : data.slice()) as Float32Array, [...shape], savedDtype as 'float32' | 'int32');
}

function list(paths: readonly string[]): string {
  return (
    paths
      .slice(0, 3)
      .map((path) => `"${path}"`)
      .join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')
  );
}
