/** A value that outlives the process, in a JSON file. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError, UsageError } from '../../errors.js';

/**
 * A value that JSON can hold, kept in memory and, if there is a file, on disk. The file is read once: at the first use, or in
 * {@link JSONPersistedValue.create}. If it holds no value, the initial one is written to it.
 */
export class JSONPersistedValue<T> {
  readonly #filename: string | null;
  readonly #writeValue: boolean;
  #value: T;
  #loading: Promise<void> | null = null;
  #isLoaded: boolean;

  /**
   * @param initialValue the value if the file has none
   * @param filename JSON file; null keeps the value in memory only
   * @param options.writeValue write to the file; false only reads it. Default true.
   */
  constructor(initialValue: T, filename: string | null = null, options: { writeValue?: boolean } = {}) {
    this.#value = initialValue;
    this.#filename = filename;
    this.#writeValue = options.writeValue ?? true;
    this.#isLoaded = filename === null;
  }

  /** Makes a value and reads its file. */
  static async create<T>(
    initialValue: T,
    filename: string | null = null,
    options: { writeValue?: boolean } = {},
  ): Promise<JSONPersistedValue<T>> {
    const value = new JSONPersistedValue(initialValue, filename, options);
    await value.load();
    return value;
  }

  /** The value in memory. Before the file was read: `UsageError`. */
  get value(): T {
    if (this.#isLoaded) return this.#value;
    throw new UsageError(`The value in ${this.#filename} was not read yet: call \`await load()\` first.`);
  }

  /** Reads the file, the first time it is called. A file that is not JSON is a `DataError`. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#loading ??= this.#load(this.#filename!);
    await this.#loading;
  }

  /** The value. */
  async read(): Promise<T> {
    await this.load();
    return this.#value;
  }

  /** Replaces the value, in memory and on disk. */
  async write(value: T): Promise<void> {
    await this.load();
    this.#value = value;
    if (this.#filename !== null && this.#writeValue) await writeAtomically(this.#filename, JSON.stringify(value));
  }

  async #load(filename: string): Promise<void> {
    const text = await readIfExists(filename);
    const stored = text === null || text.trim() === '' ? null : parse(text, filename);
    if (stored !== null) this.#value = stored as T;
    else if (this.#writeValue) {
      if (text === null) await mkdir(dirname(filename), { recursive: true });
      await writeAtomically(filename, JSON.stringify(this.#value));
    }
    this.#isLoaded = true;
  }
}

async function readIfExists(filename: string): Promise<string | null> {
  try {
    return await readFile(filename, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string, filename: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new DataError(`${filename} should hold one JSON value, but it cannot be parsed. Repair or remove the file.`, { cause });
  }
}

/** Readers of the target see the old text or the new, never a part. */
async function writeAtomically(filename: string, text: string): Promise<void> {
  const temporary = `${filename}.tmp.${randomBytes(16).toString('hex')}`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, filename);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
