/** What may serve as a dataset, and the iterators that steps get. */
import type { MaybePromise } from './types.js';

/** Something that yields batches: iterable, async-iterable, or a function that makes either anew. */
export type DatasetLike<T = unknown> = Iterable<T> | AsyncIterable<T> | (() => MaybePromise<Iterable<T> | AsyncIterable<T>>);

/**
 * A dataset, or a record or array of datasets in any nesting. An array counts as one dataset that yields its elements,
 * unless every element is a dataset by itself (an iterable object other than an array, a string or a typed array, or a
 * function): then it is an array of datasets.
 */
export type Datasets = DatasetLike | readonly Datasets[] | { readonly [name: string]: Datasets };

/**
 * What a step takes its batches from. Unlike a plain iterator's, `next()` never reports `done`: at the end of the data it
 * throws (or rejects with) {@link EndOfData}, which the loop around the step catches. Where the dataset is synchronous
 * so is `next()`; awaiting its result works with both.
 */
export interface DataIterator<T = unknown> {
  /** Takes the next batch. */
  next(): MaybePromise<{ readonly value: T }>;
  /** Gives a batch back whose memory the data may use again. Only for batches that nothing refers to any more. */
  release?(batch: T): void;
}

/** The iterator of a synchronous dataset. */
export interface SyncDataIterator<T = unknown> extends DataIterator<T> {
  next(): { readonly value: T };
}

/** What a step gets for datasets of type `D`: an iterator for each, in the same structure. */
export type IteratorsOf<D> =
  D extends AsyncIterable<infer T>
    ? DataIterator<T>
    : D extends () => infer R
      ? IteratorsOf<Awaited<R>>
      : D extends readonly DatasetLike[]
        ? { [K in keyof D]: IteratorsOf<D[K]> }
        : D extends Iterable<infer T>
          ? SyncDataIterator<T>
          : D extends { readonly [name: string]: Datasets }
            ? { [K in keyof D]: IteratorsOf<D[K]> }
            : DataIterator;

/** Thrown by {@link DataIterator.next} when no batch is left. Steps let it pass; loops catch it. */
export class EndOfData extends Error {
  override name = 'EndOfData';
  constructor() {
    super('The data ended.');
  }
}

/** Whether `value` is a single dataset. */
export function isDataset(value: unknown): value is DatasetLike {
  if (Array.isArray(value)) return !isArrayOfDatasets(value);
  return isOpaqueDataset(value);
}

/** Whether `value` is a dataset or a structure of datasets. */
export function isDatasets(value: unknown): value is Datasets {
  if (isDataset(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const parts: unknown[] = Object.values(value);
  return parts.length > 0 && parts.every(isDatasets);
}

/** Whether an array holds datasets rather than batches. */
export function isArrayOfDatasets(value: readonly unknown[]): boolean {
  return value.length > 0 && value.every(isOpaqueDataset);
}

function isOpaqueDataset(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value) || 'shape' in value) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
