/** A text file with one line per step, in increasing order of steps. */
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';

/** How a line is read back. */
export interface SeriesFormat {
  /** The step of a line; null for a line that belongs to no step, such as a heading or one that was cut off. */
  stepOf(line: string): number | null;
}

/**
 * Appends lines, whole. A line for a step that is not after the last one takes the place of all lines from that step on: a run
 * that was killed or rolled back and made its steps again leaves each step once.
 */
export class SeriesFile {
  readonly path: string;
  readonly #format: SeriesFormat;
  #file: number | null = null;
  #lastStep = -Infinity;

  constructor(file: string, format: SeriesFormat) {
    this.path = file;
    this.#format = format;
  }

  /** The whole lines that are in the file. */
  lines(): string[] {
    if (!existsSync(this.path)) return [];
    const text = readFileSync(this.path, 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1); // a last line without end was cut off
  }

  /** Appends the line of a step. */
  append(step: number, line: string): void {
    this.#attempt(() => {
      this.#open();
      if (step <= this.#lastStep) this.replace(this.lines().filter((l) => (this.#format.stepOf(l) ?? -Infinity) < step));
      writeSync(this.#file!, `${line}\n`);
      this.#lastStep = step;
    });
  }

  /** Writes the whole file anew, all or nothing. */
  replace(lines: readonly string[]): void {
    this.#attempt(() => {
      const temporary = `${this.path}.tmp`; // always the same: what a killed process leaves is written over
      mkdirSync(path.dirname(this.path), { recursive: true });
      writeFileSync(temporary, lines.map((line) => `${line}\n`).join(''));
      renameSync(temporary, this.path);
      this.close();
      this.#open();
    });
  }

  /** Closes the file; it is opened again when needed. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #open(): void {
    if (this.#file !== null) return;
    mkdirSync(path.dirname(this.path), { recursive: true });
    const lines = this.lines();
    this.#file = openSync(this.path, 'a');
    ftruncateSync(
      this.#file,
      lines.reduce((n, line) => n + Buffer.byteLength(line) + 1, 0),
    );
    this.#lastStep = lines.reduce((last, line) => Math.max(last, this.#format.stepOf(line) ?? -Infinity), -Infinity);
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`Cannot write the log ${this.path}: ${(error as Error).message}. Free space, or choose another directory.`, {
        cause: error,
      });
    }
  }
}
