/** Host fields of tfjs's own optimizers (`tf.train.*`) that a trace bakes in: when one changes, the function is traced anew. */

/** Tells whether what a trace relied on still holds. */
export interface Guard {
  holds(): boolean;
}

/** Counts and weights change with every step by design and are no constants of it. */
const CHANGING = new Set(['iterations_']);

/** A guard over the plain number, string and boolean fields of an object, as they are now. */
export function guardOf(object: object): Guard {
  const fields = object as Record<string, unknown>;
  const known = Object.keys(fields)
    .filter((key) => !CHANGING.has(key) && ['number', 'string', 'boolean'].includes(typeof fields[key]))
    .map((key) => [key, fields[key]] as const);
  return { holds: () => known.every(([key, value]) => Object.is(fields[key], value)) };
}
