import { NDArray, shapeSize } from '../ndarray.js';
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
  return rows === undefined ? (value as unknown[]) : rowsIn(value, rows);
}

/** The rows of a batch, whose arrays stay where the batch's lie. */
function rowsIn(value: unknown, rows: number): readonly unknown[] {
  if (value instanceof NDArray) {
    const { data, dtype } = value;
    const shape = value.shape.slice(1);
    const size = shapeSize(shape);
    return Array.from({ length: rows }, (_, i) => new NDArray(data.subarray(i * size, (i + 1) * size), shape, dtype));
  }
  if (Array.isArray(value)) {
    if (typeof value[0] === 'string') return value;
    const parts = value.map((part) => rowsIn(part, rows));
    return Array.from({ length: rows }, (_, i) => parts.map((part) => part[i]));
  }
  const parts = Object.entries(value as object).map(([key, part]) => [key, rowsIn(part, rows)] as const);
  return Array.from({ length: rows }, (_, i) => Object.fromEntries(parts.map(([key, part]) => [key, part[i]])));
}
