import { createRequire } from 'node:module';

import { DataError } from '../../errors.js';

const load = createRequire(import.meta.url);

/** A package that is loaded when it is first used, and at once then. */
export function required<T>(name: string): T {
  return load(name) as T;
}

/** An optional package; a {@link DataError} with the command that installs it where it is missing. */
export function requiredOptional<T>(name: string, purpose: string): T {
  try {
    return required(name);
  } catch (error) {
    throw new DataError(`${purpose} needs the package ${name}, which cannot be loaded. Run \`npm install ${name}\`.`, { cause: error });
  }
}
