import { rowOf } from '../structure.js';
import { decode, encode, encodeRows, viewsOf, type Encoded } from './codec.js';

/** The elements of a job: a list of them, or a batch whose rows they are. */
export type Elements = { readonly list: readonly unknown[] } | { readonly batch: unknown; readonly count: number };

/** Elements that were taken apart. */
export interface PackedElements extends Encoded {
  /** Set where the bytes hold a batch of so many elements. */
  readonly rows: number | undefined;
}

/** Takes elements apart, as a batch where they are alike. */
export function pack(elements: Elements): PackedElements {
  if ('batch' in elements) return { ...encode(elements.batch), rows: elements.count };
  const { list } = elements;
  const batch = encodeRows(list);
  return batch === undefined ? { ...encode(list), rows: undefined } : { ...batch, rows: list.length };
}

/** Puts elements together again, over `bytes`. */
export function unpack(text: string, bytes: ArrayBufferLike, rows: number | undefined): readonly unknown[] {
  const value = decode(text, viewsOf(bytes));
  return rows === undefined ? (value as unknown[]) : Array.from({ length: rows }, (_, i) => rowOf(value, i));
}
