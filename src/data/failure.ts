import { DataError, OrbitError } from '../errors.js';
import { chain, locate, type Cursor, type Maybe, type PositionValue } from './stage.js';

/** Throws the error of a user's function with the operator and the element at fault; the project's own errors pass unchanged. */
export function failedOn(operator: string, where: unknown, error: unknown): never {
  throw failure(operator, where === undefined ? 'an element' : `the element at ${JSON.stringify(where)}`, error);
}

/** Like {@link failedOn}, with file and record of the element where the cursor that gave it knows them. */
export function failAt(operator: string, cursor: Cursor<unknown>, address: PositionValue | undefined, error: unknown): Maybe<never> {
  if (error instanceof OrbitError) throw error;
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

function failure(operator: string, place: string, error: unknown): Error {
  if (error instanceof OrbitError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DataError(`The function given to ${operator} failed on ${place}: ${message}`, { cause: error });
}
