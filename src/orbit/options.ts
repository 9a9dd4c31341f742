/** Checks of option objects that several rooms of the loop share. */
import { UsageError } from '../errors.js';
import { didYouMean, nearestName } from '../nearest-name.js';

/** Rejects options with a key that `known` does not list: a misspelt option must not be ignored. */
export function requireKnownOptions(owner: string, options: object | null | undefined, known: readonly string[]): void {
  for (const key of Object.keys(options ?? {})) {
    if (known.includes(key)) continue;
    throw new UsageError(`\`${owner}\` has no option \`${key}\`.${didYouMean(nearestName(key, known))} It has: ${known.join(', ')}.`);
  }
}
