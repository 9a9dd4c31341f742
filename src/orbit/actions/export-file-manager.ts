/** Names numbered exports and removes old ones. */
import { access, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { UsageError } from '../../errors.js';

/** Settings of an {@link ExportFileManager}. */
export interface ExportFileManagerOptions {
  /** How many exports `cleanUp` leaves, the newest. Negative keeps all; so does 0, as in the original. Default 5. */
  maxToKeep?: number | null;
  /** Gives the number of the next export. Default: one more than the largest there is at first use, then counting up. */
  nextIdFn?: (() => number) | null;
  /** Directory inside each numbered one that holds the export itself. Default: none. */
  subdirectory?: string | null;
}

/** Manages paths of the form `<baseName>-<number>`, or `<baseName>-<number>/<subdirectory>`. */
export class ExportFileManager {
  readonly #baseName: string;
  readonly #maxToKeep: number;
  readonly #nextIdFn: (() => number) | null;
  readonly #subdirectory: string | null;
  #nextId: number | null = null;

  /** @param baseName local path that the numbers are appended to */
  constructor(baseName: string, options: ExportFileManagerOptions = {}) {
    if (typeof baseName !== 'string' || baseName === '') throw new UsageError('`baseName` should be a path.');
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(baseName)) {
      throw new UsageError(`\`baseName\` (${baseName}) should be a path of this machine: exports to other storage are not supported.`);
    }
    this.#maxToKeep = options.maxToKeep ?? 5;
    if (!Number.isInteger(this.#maxToKeep)) throw new UsageError(`\`maxToKeep\` (${options.maxToKeep}) should be an integer.`);
    this.#baseName = normalize(baseName);
    this.#nextIdFn = options.nextIdFn ?? null;
    this.#subdirectory = options.subdirectory ?? null;
  }

  /** Paths of the exports there are, in the order of their numbers. */
  async managedFiles(): Promise<string[]> {
    const directory = dirname(this.#baseName);
    const prefix = `${basename(this.#baseName)}-`;
    const ids = (await list(directory))
      .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
      .map((name) => ({ id: BigInt(name.slice(prefix.length)), path: this.#pathOf(join(directory, name)) }));
    ids.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    const present = await Promise.all(ids.map(({ path }) => exists(path)));
    return ids.filter((_, index) => present[index]).map(({ path }) => path);
  }

  /** The path of the next export. Nothing is created; every call counts up. */
  async nextName(): Promise<string> {
    return this.#pathOf(`${this.#baseName}-${await this.#takeId()}`);
  }

  /** Deletes all but the newest exports. Of an export in a subdirectory only that is deleted. */
  async cleanUp(): Promise<void> {
    if (this.#maxToKeep <= 0) return;
    const files = await this.managedFiles();
    for (const path of files.slice(0, -this.#maxToKeep)) await rm(path, { recursive: true, force: true });
  }

  async #takeId(): Promise<number> {
    if (this.#nextIdFn !== null) return this.#nextIdFn();
    this.#nextId ??= (await this.#largestId()) + 1;
    return this.#nextId++;
  }

  async #largestId(): Promise<number> {
    const newest = (await this.managedFiles()).at(-1);
    if (newest === undefined) return -1;
    const numbered = this.#subdirectory === null ? newest : newest.slice(0, -(normalize(this.#subdirectory).length + 1));
    return Number(numbered.slice(numbered.lastIndexOf('-') + 1));
  }

  #pathOf(numbered: string): string {
    return this.#subdirectory === null ? numbered : join(numbered, this.#subdirectory);
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
