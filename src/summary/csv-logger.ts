/** Results as comma-separated values. */
import path from 'node:path';
import type { LogEntry, RunLogger } from '../orbit/index.js';
import { flatValues } from './flat-values.js';
import { SeriesFile } from './series-file.js';

/** One of the two files, with the columns of its first line. */
class CsvFile {
  readonly #file: SeriesFile;
  #columns: string[] | null = null;

  constructor(file: string) {
    this.#file = new SeriesFile(file, { stepOf: (line) => (/^\d+(,|$)/.test(line) ? Number.parseInt(line, 10) : null) });
  }

  add(step: number, values: Readonly<Record<string, unknown>>): void {
    const columns = (this.#columns ??= this.#readColumns());
    const added = Object.keys(values).filter((name) => !columns.includes(name));
    if (added.length > 0) {
      columns.push(...added);
      const rows = this.#file.lines().slice(1);
      this.#file.replace([['step', ...columns].map(quoted).join(','), ...rows.map((row) => row + ','.repeat(added.length))]);
    }
    this.#file.append(step, [step, ...columns.map((name) => quoted(text(values[name])))].join(','));
  }

  close(): void {
    this.#file.close();
  }

  #readColumns(): string[] {
    const [heading] = this.#file.lines();
    return heading === undefined ? [] : cells(heading).slice(1);
  }
}

/**
 * Writes `<directory>/train.csv` and `<directory>/validation.csv`: a heading, then a row per training loop and per evaluation
 * that begins with the step. A result that first comes later adds a column, empty in the rows before. Nested names are joined
 * with `/`, arrays written as JSON. Steps that a resumed run makes again take the place of those before.
 */
export class CsvLogger implements RunLogger {
  readonly #files: Readonly<Record<LogEntry['kind'], CsvFile>>;

  /** @param directory where the files go; made when the first row is written */
  constructor(directory: string) {
    this.#files = { train: new CsvFile(path.join(directory, 'train.csv')), eval: new CsvFile(path.join(directory, 'validation.csv')) };
  }

  log({ kind, step, wallTime, values }: LogEntry): void {
    this.#files[kind].add(step, { wall_time: wallTime, ...flatValues(values) });
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close();
  }
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value as number);
}

/** A cell, in quotes where it has to be. A line break becomes a blank: a row is a line. */
function quoted(cell: string): string {
  const line = cell.replace(/[\r\n]+/g, ' ');
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}

/** The cells of a row. */
function cells(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, inQuotes, plain]) => inQuotes?.replaceAll('""', '"') ?? plain ?? '',
  );
}
