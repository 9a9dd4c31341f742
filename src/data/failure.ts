import { DataError, OrbitError } from '../errors.js';
import { chain, locate, type Cursor, type Maybe, type PositionValue } from './stage.js';

/** Throws the error of a user's function with the operator and the element at fault; the project's own errors pass unchanged, but for those of data. */
export function failedOn(operator: string, where: unknown, error: unknown): never {
  throw failure(operator, where === undefined ? 'an element' : `the element at ${JSON.stringify(where)}`, error);
}

/** Like {@link failedOn}, with file and record of the element where the cursor that gave it knows them. */
export function failAt(operator: string, cursor: Cursor<unknown>, address: PositionValue | undefined, error: unknown): Maybe<never> {
  if (passes(operator, error)) throw error;
  const unknown = (): undefined => undefined; // the place is a help: not finding it must not hide the error
  let place: Maybe<string | undefined>;
  try {
    place = locate(cursor, address);
    if (place instanceof Promise) place = place.catch(unknown);
  } catch {
    place = undefined;
  }
  return chain(place, (found) => {
    if (found === undefined) return failedOn(operator, address, error);
    throw failure(operator, found, error);
  });
}

/**
 * Errors of this project pass unchanged, but for one: what is wrong with an element does not say which one it is, where a function made of
 * one element alone finds it (a feature that is missing from an example).
 */
function passes(operator: string, error: unknown): boolean {
  return error instanceof OrbitError && !(error instanceof DataError && (operator === 'map' || operator === 'filter'));
}

function failure(operator: string, place: string, error: unknown): Error {
  if (passes(operator, error)) return error as Error;
  const message = error instanceof Error ? error.message : String(error);
  return new DataError(`The function given to ${operator} failed on ${place}: ${message}`, { cause: error });
}
