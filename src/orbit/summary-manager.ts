/** Writes the results of loops as summaries, nested dictionaries into nested directories. */
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { defaultSummaryStep, silentSummaryWriter } from './summary-scope.js';
import {
  defaultSummaryWriterFactory,
  type SummaryManagerInterface,
  type SummaryWriter,
  type SummaryWriterFactory,
} from './summary-writer.js';
import type { GlobalStep, Output } from './types.js';
import { getValue, isDictionary, toNumber } from './values.js';

/** Writes one entry of a dictionary of results with the writer of its directory. */
export type SummaryFunction = (writer: SummaryWriter, name: string, value: unknown, step: number) => void;

/** Settings of a {@link SummaryManager}. */
export interface SummaryManagerOptions {
  /** Makes the writer of a directory. Default: that of `orbit-ts/summary`, once it is imported. */
  writerFactory?: SummaryWriterFactory | null;
  /** Writes one entry. Default: as a scalar. */
  summaryFn?: SummaryFunction | null;
  /** Counter that gives the step of what is written. Default: the one the process uses when the manager is made. */
  globalStep?: Pick<GlobalStep, 'value'> | null;
}

/** One writer per directory, made when first asked for; a manager that is never asked creates nothing on disk. */
export class SummaryManager implements SummaryManagerInterface {
  readonly #directory: string | null;
  readonly #writerFactory: SummaryWriterFactory | null;
  readonly #summaryFn: SummaryFunction;
  readonly #globalStep: Pick<GlobalStep, 'value'> | null;
  readonly #writers = new Map<string, SummaryWriter>();

  /** @param directory where to write; null makes a manager that does nothing */
  constructor(directory: string | null | undefined, options: SummaryManagerOptions = {}) {
    this.#directory = directory ?? null;
    this.#writerFactory = options.writerFactory ?? defaultSummaryWriterFactory();
    this.#summaryFn = options.summaryFn ?? writeScalar;
    this.#globalStep = options.globalStep ?? defaultSummaryStep();
    if (this.#directory === null) return;
    if (this.#writerFactory === null) {
      throw new UsageError(
        `Summaries in ${this.#directory} need something that writes them: import 'orbit-ts/summary' for event files, or pass a writer factory ` +
          '(`summaryWriterFactory` of a controller, `writerFactory` of a `SummaryManager`).',
      );
    }
    if (this.#globalStep === null) {
      throw new UsageError('A `SummaryManager` needs a `globalStep`: pass one, or make the controller first.');
    }
  }

  /** The writer of `relativePath` below the directory; `''` is the directory itself. */
  summaryWriter(relativePath = ''): SummaryWriter {
    if (this.#directory === null) return silentSummaryWriter;
    let writer = this.#writers.get(relativePath);
    if (writer === undefined) {
      writer = this.#writerFactory!(join(this.#directory, relativePath));
      this.#writers.set(relativePath, writer);
    }
    return writer;
  }

  /** Writes every entry at the current step. An entry that is not one number is a `UsageError` that names it. */
  async writeSummaries(summaries: Output): Promise<void> {
    if (this.#directory === null) return;
    await this.#write(summaries, '', this.#globalStep!.value);
  }

  /** Brings everything written so far to disk. */
  async flush(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.flush();
  }

  /** Closes all writers; a later write opens new files. */
  async close(): Promise<void> {
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    for (const writer of writers) await writer.close();
  }

  async #write(summaries: Output, relativePath: string, step: number): Promise<void> {
    for (const [key, value] of Object.entries(summaries)) {
      if (isDictionary(value)) await this.#write(value, join(relativePath, key), step);
      else this.#summaryFn(this.summaryWriter(relativePath), key, await getValue(value), step);
    }
  }
}

function writeScalar(writer: SummaryWriter, name: string, value: unknown, step: number): void {
  writer.scalar(name, toNumber(value, `The summary \`${name}\``), step);
}
