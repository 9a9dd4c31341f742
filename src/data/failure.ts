import { DataError, OrbitError } from '../errors.js';

/** Throws the error of a user's function with the operator and the element at fault; the project's own errors pass unchanged. */
export function failedOn(operator: string, where: unknown, error: unknown): never {
  if (error instanceof OrbitError) throw error;
  const element = where === undefined ? 'an element' : `the element at ${JSON.stringify(where)}`;
  const message = error instanceof Error ? error.message : String(error);
  throw new DataError(`The function given to ${operator} failed on ${element}: ${message}`, { cause: error });
}
