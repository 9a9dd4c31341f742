import { DataError } from '../errors.js';
import { all, chain, type Maybe } from './stage.js';

/** Which element of a batch an error is about. */
const oddElements = new WeakMap<object, number>();

/** The error of an element, number `index` of a batch, that is unlike the first. */
export function unequal(message: string, index: number): DataError {
  const error = new DataError(message);
  oddElements.set(error, index);
  return error;
}

/**
 * Calls `join` for the elements of a batch. Where one is unlike the first, the error says where both come from, as far as `place` knows that
 * of an element by its number.
 */
export function joined<T, B>(elements: T[], join: (elements: T[]) => B, place: (index: number) => Maybe<string | undefined>): Maybe<B> {
  try {
    return join(elements);
  } catch (error) {
    const index = oddElements.get(error as object);
    if (index === undefined) throw error;
    return chain(all([placeOf(place, 0), placeOf(place, index)]), ([first, odd]): B => {
      if (odd === undefined) throw error;
      const other = first === undefined || index === 0 ? '' : `, the first is ${first}`;
      throw new DataError(`${(error as Error).message} Element ${index} is ${odd}${other}.`, { cause: error });
    });
  }
}

/** The place is a help: not finding it must not hide the error. */
function placeOf(place: (index: number) => Maybe<string | undefined>, index: number): Maybe<string | undefined> {
  const unknown = (): undefined => undefined;
  try {
    const found = place(index);
    return found instanceof Promise ? found.catch(unknown) : found;
  } catch {
    return undefined;
  }
}
