/** Names of exports that are the time of their making. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.js';

const ATTEMPTS = 10;

/**
 * A name below `base` that does not exist yet: the time in whole seconds since 1970, so that the newest export has the largest number.
 * Nothing is created. A name that is there is tried again a second later, ten times.
 * @throws UsageError when all ten exist
 */
export async function getTimestampedExportDir(base: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const directory = path.join(base, String(Math.floor(Date.now() / 1000)));
    const isThere = await stat(directory).then(() => true, () => false); // prettier-ignore
    if (!isThere) return directory;
    if (attempt === ATTEMPTS)
      throw new UsageError(`No name for an export is free in "${base}": ${directory} and those of the seconds before exist.`);
    await sleep(1000);
  }
}
