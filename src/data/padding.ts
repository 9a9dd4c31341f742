import { DataError } from '../errors.js';
import { unequal } from './unequal.js';
import { allocate, NDArray, shapeSize, type TypedArray } from './ndarray.js';
import { describe, isArrayForm, isRecord, stack, type Batched } from './structure.js';

/** What shorter arrays are filled up with: one value for all parts of the element, or one for each, in the element's nesting. */
export type PadValue = number | { readonly [key: string]: PadValue } | readonly PadValue[];

/** Sizes to fill up to: per axis, null for the longest of the batch; one shape for all, or one for each part of the element. */
export type PaddedShape = readonly (number | null)[] | { readonly [key: string]: PaddedShape };

/** How {@link stackPadded} fills up. */
export interface PaddingOptions {
  /** Default 0. */
  readonly padValue?: PadValue;
  /** Left out: every axis becomes as long as the longest of the batch. */
  readonly paddedShapes?: PaddedShape;
}

/** Names of the {@link PaddingOptions}. */
export const paddingOptions: readonly (keyof PaddingOptions)[] = ['padValue', 'paddedShapes'];

/** Joins elements whose arrays differ in size: shorter ones are filled up at the end of each axis. Throws a {@link DataError}. */
export function stackPadded<T>(elements: readonly T[], { padValue, paddedShapes }: PaddingOptions): Batched<T> {
  return stack(padded(elements, padValue ?? 0, paddedShapes ?? undefined, '') as T[]);
}

/** The elements with arrays of equal shapes. */
function padded(elements: readonly unknown[], value: PadValue, shape: PaddedShape | undefined, path: string): readonly unknown[] {
  const first = elements[0];
  if (isArrayForm(first) || ArrayBuffer.isView(first)) return padArrays(elements, value, shape, path);
  if (!Array.isArray(first) && !isRecord(first)) return elements;
  const parts = Object.keys(first).map((key) => {
    const place = Array.isArray(first) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const own = elements.map((element) => (element as Record<string, unknown> | undefined)?.[key]);
    return [key, padded(own, partOf(value, key, typeof value === 'number'), partOf(shape, key, isShape(shape)), place)] as const;
  });
  return elements.map((_, i) => {
    const entries = parts.map(([key, values]) => [key, values[i]] as const);
    return Array.isArray(first) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
  });
}

function isShape(shape: PaddedShape | undefined): boolean {
  return shape === undefined || (Array.isArray(shape) && shape.every((axis) => axis === null || typeof axis === 'number'));
}

function partOf<V>(value: V, key: string, isForAll: boolean): V {
  return isForAll ? value : ((value as Record<string, V>)[key] ?? (undefined as V));
}

function padArrays(elements: readonly unknown[], value: PadValue | undefined, shape: PaddedShape | undefined, path: string): NDArray[] {
  const place = path === '' ? 'the element' : `part ${path} of the element`;
  const arrays = elements.map((element, i): NDArray => {
    if (element instanceof NDArray) return element;
    if (ArrayBuffer.isView(element)) return NDArray.of(element as TypedArray);
    throw unequal(`paddedBatch: ${place} is an array in the first element of the batch but ${describe(element)} in element ${i}.`, i);
  });
  const { dtype, shape: own } = arrays[0]!;
  if (shape !== undefined && (!isShape(shape) || (shape as readonly unknown[]).length !== own.length)) {
    throw new DataError(`paddedBatch: paddedShapes gives ${JSON.stringify(shape)} for ${place}, which has ${own.length} axes.`);
  }
  const target = own.map((_, axis) => {
    const longest = Math.max(...arrays.map((array) => array.shape[axis] ?? 0));
    return (shape as readonly (number | null)[] | undefined)?.[axis] ?? longest;
  });
  return arrays.map((array, i) => {
    if (array.shape.length !== own.length || array.dtype !== dtype) {
      throw unequal(
        `paddedBatch: ${place} is ${describe(arrays[0])} in the first element of the batch but ${describe(array)} in element ${i}.`,
        i,
      );
    }
    if (array.shape.some((size, axis) => size > target[axis]!)) {
      throw unequal(
        `paddedBatch: ${place} is ${describe(array)} in element ${i} of the batch, longer than the padded shape [${target.join(', ')}].`,
        i,
      );
    }
    return padArray(array, target, typeof value === 'number' ? value : 0);
  });
}

function padArray(array: NDArray, target: readonly number[], value: number): NDArray {
  if (array.shape.every((size, axis) => size === target[axis])) return array;
  const data = allocate(array.dtype, shapeSize(target));
  if (value !== 0) data.fill(value);
  copyRows(array.data, array.shape, data, target, 0, 0, 0);
  return new NDArray(data, target, array.dtype);
}

function copyRows(
  from: TypedArray,
  shape: readonly number[],
  to: TypedArray,
  target: readonly number[],
  axis: number,
  a: number,
  b: number,
): void {
  if (axis === shape.length - 1) return to.set(from.subarray(a, a + shape[axis]!), b);
  const [stepA, stepB] = [shapeSize(shape.slice(axis + 1)), shapeSize(target.slice(axis + 1))];
  for (let i = 0; i < shape[axis]!; i++) copyRows(from, shape, to, target, axis + 1, a + i * stepA, b + i * stepB);
}

/** The padding in words, for the label of a stage. */
export function paddingLabel({ padValue, paddedShapes }: PaddingOptions): string {
  return `${(padValue ?? 0) === 0 ? '' : `, value ${JSON.stringify(padValue)}`}${(paddedShapes ?? undefined) === undefined ? '' : `, shapes ${JSON.stringify(paddedShapes)}`}`;
}
