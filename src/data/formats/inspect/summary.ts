import type { Dataset } from '../../dataset.js';

/** What a data file, or several of one kind, hold. */
export interface DataSummary {
  /** Name of the format, such as `CSV`. */
  readonly format: string;
  /** The files, in order. */
  readonly files: readonly string[];
  /** How the first file is compressed. */
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Options that the reader needs for these files; undefined where it needs none. */
  readonly options?: string;
  /** Columns, features or arrays, with what they hold in words. */
  readonly schema: readonly { readonly name: string; readonly type: string }[];
  /** Number of records in all files: lines, rows, images, …; undefined where files are no list of records. */
  readonly records: number | undefined;
  /** The first records; of arrays with long rows, or several arrays in a file, the first 100 values each. */
  readonly first: readonly unknown[];
}

/** What the inspection of a format finds. */
export type Found = Omit<DataSummary, 'files' | 'compression' | 'format'>;

/** The first elements. */
export async function firstOf(dataset: Dataset<unknown>, rows: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  const iterator = dataset.iterator(0);
  for (let i = 0; i < rows; i++) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
  }
  await iterator.return();
  return taken;
}

/** Counts all elements and keeps the first. */
export async function countAll(dataset: Dataset<unknown>, rows: number): Promise<{ records: number; first: unknown[] }> {
  const first: unknown[] = [];
  let records = 0;
  for await (const element of dataset) if (records++ < rows) first.push(element);
  return { records, first };
}
