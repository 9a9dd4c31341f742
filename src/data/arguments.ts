import { UsageError } from '../errors.js';
import { didYouMean, nearestName } from '../nearest-name.js';
import { describe, isRecord } from './structure.js';

/** Checks that an argument of an operator is a data set, and gives its stage. */
export function asStage<S>(dataset: { readonly stage: S }, operator: string): S {
  const stage = (dataset as { readonly stage?: S } | null | undefined)?.stage;
  if (typeof stage === 'object' && stage !== null) return stage;
  throw new UsageError(
    `${operator} needs a data set, but ${describe(dataset)} was given; fromItems and fromIterable make one of other things.`,
  );
}

/** Checks that an argument is a list. */
export function asList<T>(value: readonly T[], what: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new UsageError(`${what} is ${describe(value)}, expected a list.`);
}

/** Checks that an argument of an operator is a function. */
export function asFunction<F>(fn: F, operator: string): F {
  if (typeof fn !== 'function') throw new UsageError(`${operator} needs a function, but ${typeof fn} was given.`);
  return fn;
}

/** Checks that an argument is a whole number of at least `least`. */
export function whole(value: number, what: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  const bound = least === -Number.MAX_SAFE_INTEGER ? '' : ` of at least ${least}`;
  throw new UsageError(`${what} is ${String(value)}, expected a whole number${bound}.`);
}

/**
 * The options of an operator, where null means none. Throws a {@link UsageError} for what is no record, has an option that there is
 * not (one that is ignored would change the data unnoticed), or has something else than true or false for one of `switches`.
 */
export function optionsOf<O extends object>(
  options: O | null | undefined,
  operator: string,
  names: readonly string[],
  switches: string | readonly string[] = [],
): O {
  if (options === undefined || options === null) return {} as O;
  const isSwitch = (name: string): boolean => (typeof switches === 'string' ? name === switches : switches.includes(name));
  const known = names.map((name) => (isSwitch(name) ? `${name}: true or false` : name)).join(', ');
  if (!isRecord(options)) throw new UsageError(`${operator}: ${describe(options)} was given in place of options: { ${known} }.`);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue; // as if it were not there
    if (!names.includes(name)) {
      const near = didYouMean(nearestName(name, names));
      throw new UsageError(`${operator} has no option ${name}.${near} Options: ${names.join(', ')}.`);
    }
    if (isSwitch(name) && value !== null && typeof value !== 'boolean')
      throw new UsageError(`${operator}: ${name} is ${JSON.stringify(value)}, expected true or false.`);
  }
  return options;
}

/** All options of a reader: those that are true or false, and others, which the reader checks by itself. */
export type OptionKinds<O> = { readonly [K in keyof Required<O>]: 'switch' | 'value' };

/** The options of a reader as {@link optionsOf} checks them, without those that are null or undefined. */
export function readerOptions<O extends object>(options: O | null | undefined, reader: string, kinds: OptionKinds<O>): O {
  const names = Object.keys(kinds);
  const given = optionsOf(
    options,
    reader,
    names,
    names.filter((name) => kinds[name as keyof O] === 'switch'),
  );
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)) as O;
}

/** Checks that a list of names, where it is given, is one. */
export function asNames(names: readonly string[] | null | undefined, what: string): readonly string[] | undefined {
  if (names === undefined || names === null) return undefined;
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  throw new UsageError(`${what} is ${Array.isArray(names) ? 'a list of other things' : describe(names)}, expected a list of names.`);
}
