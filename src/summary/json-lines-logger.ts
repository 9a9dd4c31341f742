/** Results as lines of JSON. */
import path from 'node:path';
import type { LogEntry, RunLogger } from '../orbit/index.js';
import { flatValues } from './flat-values.js';
import { SeriesFile } from './series-file.js';

/**
 * Writes `<directory>/train.jsonl` and `<directory>/validation.jsonl`: a line `{"step":…,"wall_time":…,<results>}` per training
 * loop and per evaluation. Nested names are joined with `/`; NaN and infinities, which JSON lacks, are the texts `"NaN"`,
 * `"Infinity"`, `"-Infinity"`. Steps that a resumed run makes again take the place of those before.
 */
export class JsonLinesLogger implements RunLogger {
  readonly #files: Readonly<Record<LogEntry['kind'], SeriesFile>>;

  /** @param directory where the files go; made when the first line is written */
  constructor(directory: string) {
    const file = (name: string): SeriesFile => new SeriesFile(path.join(directory, `${name}.jsonl`), { stepOf });
    this.#files = { train: file('train'), eval: file('validation') };
  }

  log({ kind, step, wallTime, values }: LogEntry): void {
    const finite = (_key: string, v: unknown): unknown =>
      typeof v === 'bigint' ? Number(v) : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v;
    this.#files[kind].append(step, JSON.stringify({ step, wall_time: wallTime, ...flatValues(values) }, finite));
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close();
  }
}

function stepOf(line: string): number | null {
  try {
    return (JSON.parse(line) as { step: number }).step;
  } catch {
    return null;
  }
}
