import { DataError } from '../../errors.js';
import { NDArray, shapeSize, type DType, type TypedArray } from '../ndarray.js';
import { randomStage } from '../random-access.js';
import type { Stage } from '../stage.js';
import { ReturnedArrays } from './returned-arrays.js';
import { describe, isRecord } from '../structure.js';

/** One column of a table: a value per row, gathered into batches straight from where it lies. */
export interface Column {
  /** Number of rows. */
  readonly length: number;
  /** A copy of the value of a row. */
  row(index: number): unknown;
  /** The values of `count` rows as a new batch. */
  gather(indices: Uint32Array, count: number): unknown;
  /** Takes back an array that `gather` made and nobody uses any more, to be filled again. */
  release?(batch: unknown): void;
  /** Loads the values, once; undefined when they are there. Until then only `length` may be used. */
  ready?(): Promise<void> | undefined;
}

/** A column over the rows of an array. */
export class ArrayColumn<D extends DType> implements Column {
  readonly length: number;
  readonly #array: NDArray<D>;
  readonly #shape: number[];
  readonly #size: number;
  readonly #arrays = new ReturnedArrays<D>();

  constructor(array: NDArray<D>) {
    this.#array = array;
    this.length = array.rows;
    this.#shape = array.shape.slice(1);
    this.#size = shapeSize(this.#shape);
  }

  row(index: number): NDArray<D> {
    return this.#array.row(index);
  }

  gather(indices: Uint32Array, count: number): NDArray<D> {
    const size = this.#size;
    const source = this.#array.data;
    const data = this.#arrays.take(this.#array.dtype, count * size);
    if (size < 32) {
      // Short rows: a loop costs less than a view per row.
      for (let i = 0, out = 0; i < count; i++) {
        const first = indices[i]! * size;
        for (let j = 0; j < size; j++) data[out++] = source[first + j]!;
      }
    } else {
      for (let i = 0; i < count; i++) data.set(source.subarray(indices[i]! * size, (indices[i]! + 1) * size), i * size);
    }
    return this.#arrays.give(new NDArray(data, [count, ...this.#shape], this.#array.dtype));
  }

  release(batch: unknown): void {
    this.#arrays.takeBack(batch);
  }
}

/** A column of strings. */
class StringColumn implements Column {
  constructor(readonly values: readonly string[]) {}

  get length(): number {
    return this.values.length;
  }

  row(index: number): string {
    return this.values[index]!;
  }

  gather(indices: Uint32Array, count: number): string[] {
    return Array.from({ length: count }, (_, i) => this.values[indices[i]!]!);
  }
}

/** Columns in a nesting of arrays and records. */
export type ColumnTree = Column | readonly ColumnTree[] | { readonly [key: string]: ColumnTree };

/** The stage whose elements have one row of every column. Throws a {@link DataError} where the columns differ in length. */
export function tableStage<T>(label: string, tree: ColumnTree): Stage<T> {
  const columns: { path: string; column: Column }[] = [];
  const collect = (node: ColumnTree, path: string): void => {
    if (isColumn(node)) columns.push({ path, column: node });
    else if (Array.isArray(node)) node.forEach((item: ColumnTree, k) => collect(item, `${path}[${k}]`));
    else Object.entries(node).forEach(([key, item]) => collect(item as ColumnTree, path ? `${path}.${key}` : key));
  };
  collect(tree, '');
  const first = columns[0];
  if (first === undefined) throw new DataError('A data set from arrays needs at least one array.');
  for (const { path, column } of columns) {
    if (column.length !== first.column.length) {
      throw new DataError(
        `The arrays of a data set need equally many rows: ${path || 'the array'} has ${column.length}, ${first.path || 'the first'} has ${first.column.length}.`,
      );
    }
  }
  const row = compile(tree, (column, index: number) => column.row(index));
  const gather = compile(tree, (column, indices: Uint32Array, count: number) => column.gather(indices, count));
  const waiting = columns.filter(({ column }) => column.ready !== undefined);
  const ready = (): Promise<void> | undefined => {
    const loading = waiting.flatMap(({ column }) => column.ready!() ?? []);
    return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
  };
  return randomStage<T>(`${label}(${first.column.length})`, {
    length: first.column.length,
    ready: waiting.length === 0 ? undefined : ready,
    at: (_, position) => row(position) as T,
    rows: { index: (_, position) => position, gather, release: columns.some(({ column }) => column.release) ? releaser(tree) : undefined },
  });
}

function isColumn(node: ColumnTree): node is Column {
  return typeof (node as Column).gather === 'function';
}

/** Gives the leaves of a gathered batch back to their columns. */
function releaser(node: ColumnTree): (batch: unknown) => void {
  if (isColumn(node)) return (batch) => node.release?.(batch);
  const parts = Object.entries(node).map(([key, item]) => [key, releaser(item as ColumnTree)] as const);
  return (batch) => parts.forEach(([key, part]) => part((batch as Record<string, unknown> | undefined)?.[key]));
}

/** Turns a nesting of columns into a function that makes the same nesting of their values. */
function compile<A extends unknown[]>(node: ColumnTree, get: (column: Column, ...args: A) => unknown): (...args: A) => unknown {
  if (isColumn(node)) return (...args) => get(node, ...args);
  if (Array.isArray(node)) {
    const parts = node.map((item: ColumnTree) => compile(item, get));
    return (...args) => parts.map((part) => part(...args));
  }
  const parts = Object.entries(node).map(([key, item]) => [key, compile(item as ColumnTree, get)] as const);
  return (...args) => Object.fromEntries(parts.map(([key, part]) => [key, part(...args)]));
}

/** Makes columns of a nesting of arrays: NDArrays, typed arrays, and lists of numbers, booleans or strings. */
export function columnsOf(value: unknown, path = ''): ColumnTree {
  if (value instanceof NDArray) return new ArrayColumn(value);
  if (ArrayBuffer.isView(value)) return new ArrayColumn(NDArray.of(value as TypedArray));
  if (Array.isArray(value) && value.length > 0) {
    if (value.every((item) => typeof item === 'number')) return new ArrayColumn(NDArray.of(Float32Array.from(value)));
    if (value.every((item) => typeof item === 'boolean'))
      return new ArrayColumn(new NDArray(Uint8Array.from(value, Number), [value.length], 'bool'));
    if (value.every((item) => typeof item === 'string')) return new StringColumn(value.slice());
    return value.map((item, k) => columnsOf(item, `${path}[${k}]`));
  }
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, columnsOf(item, path ? `${path}.${key}` : key)]));
  }
  throw new DataError(
    `${path || 'The value'} is ${describe(value)}; fromArrays takes NDArrays, typed arrays, lists of numbers, booleans or strings, and tuples or records of them.`,
  );
}
