import * as tf from '#tf';
import type { StateDict, StateTensor } from '../checkpoint/index.js';
import { CheckpointError, UsageError } from '../errors.js';
import { initScope } from '../function/index.js';

/** A name, or options with one. */
export type NameOr<T> = string | (T & { name?: string | null });

/** Splits `'accuracy'` or `{ name: 'accuracy', … }` into name and options. */
export function named<T extends object>(given: NameOr<T> | null | undefined, fallback: string): { name: string; options: Partial<T> } {
  if (typeof given === 'string') return { name: given, options: {} };
  const { name, ...options } = given ?? ({} as T & { name?: string | null });
  return { name: name ?? fallback, options: options as unknown as Partial<T> };
}

/**
 * A number measured over many batches. The running totals are variables, so that a compiled step updates them in its graph;
 * `result` reads them on the host.
 */
export abstract class Metric {
  /** Key of the result in logs. */
  readonly name: string;
  private readonly state: Record<string, tf.Variable> = {};

  constructor(name: string) {
    if (typeof name !== 'string' || name === '') throw new UsageError(`A metric needs a name that is not empty, but got ${String(name)}.`);
    this.name = name;
  }

  /**
   * Adds a batch. Synchronous plain tfjs ops: works eagerly and inside `compile`.
   *
   * @param labels what is true (for `Mean` and `Sum`: the values).
   * @param predictions what the model says (for `Mean` and `Sum`: the weights).
   * @param sampleWeight weight of each example, shape `[batch]` or that of the values. Default 1.
   */
  abstract updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void;

  /** The result of all batches since the last reset, computed on the host. 0 before the first batch. */
  abstract result(): number;

  /** Forgets all batches. */
  resetState(): void {
    initScope(() => {
      for (const variable of Object.values(this.state)) tf.tidy(() => variable.assign(tf.zeros(variable.shape)));
    });
  }

  /** The variables, by name. */
  variables(): Record<string, tf.Variable> {
    return { ...this.state };
  }

  /** A host copy of the state, for checkpoints. */
  stateDict(): Record<string, StateTensor> {
    const entry = ([key, v]: [string, tf.Variable]) =>
      [key, { dtype: 'float32', shape: [...v.shape], data: v.dataSync().slice() }] as const;
    return Object.fromEntries(Object.entries(this.state).map(entry));
  }

  /** Takes over a saved state. @throws CheckpointError if it is not one of this metric. */
  loadStateDict(state: StateDict): void {
    for (const [key, variable] of Object.entries(this.state)) {
      const { shape, data } = (state[key] ?? {}) as Partial<StateTensor>;
      if (!data || String(shape) !== String(variable.shape)) {
        throw new CheckpointError(
          `Metric "${this.name}": saved "${key}" is ${data ? `of shape [${shape}]` : 'missing'}, but shape [${variable.shape}] is expected.`,
        );
      }
      initScope(() => tf.tidy(() => variable.assign(tf.tensor(data.slice() as Float32Array, variable.shape, 'float32'))));
    }
  }

  /** Frees the variables. */
  dispose(): void {
    for (const variable of Object.values(this.state)) variable.dispose();
  }

  /** Makes a float32 variable that starts at 0 and belongs to the state. */
  protected addState(key: string, shape: readonly number[] = []): tf.Variable {
    const name = uniqueName(`${this.name}/${key}`);
    const variable = initScope(() => tf.tidy(() => tf.variable(tf.zeros([...shape]), false, name)));
    this.state[key] = variable;
    return variable;
  }

  /** Adds to a state variable. Call inside `tf.tidy`. */
  protected accumulate(variable: tf.Variable, amount: tf.Tensor | number): void {
    variable.assign(tf.add(variable, amount));
  }
}

/** tfjs refuses a variable name that exists; a number makes it unique. */
function uniqueName(name: string): string {
  const taken = tf.engine().registeredVariables;
  let unique = name;
  for (let n = 1; unique in taken; n++) unique = `${name}_${n}`;
  return unique;
}

/** The value of a scalar variable, or of one element. */
export function read(variable: tf.Variable, index = 0): number {
  return variable.dataSync()[index]!;
}

/** a/b, and 0 where b is 0. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}
