/** Variables that are saved from where they lie, while their owner goes on. */

/** Values that stay as they are until they are released. */
export interface HeldVariables<T> {
  /** What the body returned. */
  readonly value: T;
  /** Memory that nobody writes before {@link release}; readable by other threads. */
  readonly memory: ReadonlySet<ArrayBufferLike>;
  /** Gives the memory back. */
  release(): void;
}

/** Who runs the steps that change the variables. `variableHolder` of `orbit-ts/function` is one. */
export interface VariableHolder {
  /** Runs `body` so that `dataSync()` of a variable gives its own memory, which then stays as it is until the release. */
  hold<T>(body: () => T): HeldVariables<T>;
  /** Makes the memory that is needed while the variables that `body` reads are held; returns what is fresh. */
  reserve(body: () => unknown): SharedArrayBuffer[];
}

/** Holds nothing: all values are copies, or are copied. */
export const copyingHolder: VariableHolder = {
  hold: (body) => ({ value: body(), memory: new Set(), release: () => {} }),
  reserve: () => [],
};
