/** Files and values of scripts/make-everyday-fixtures.py, and how they are compared. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect } from 'vitest';

import { NDArray, type Dataset } from '../index.js';

/** Path of a file. */
export const at = (name: string): string => join(resolve(import.meta.dirname, '../../../tests/fixtures/data/wild'), name);

/** What the writers' packages read in the files. */
export const expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as {
  frame: { n: number; x: number; text: string; day: string; ok: boolean; large: number }[];
  mixed: { n: number[]; x: number[] };
  kinds: Record<string, unknown[]>;
  brain: number[];
  sounds: Record<string, number[][]>;
  tokenizers: Record<string, [text: string, ids: number[]][]>;
};

/** An element as plain values: numbers, texts, truth values, nested lists. */
export function plain(value: unknown): unknown {
  if (value instanceof NDArray)
    return nested(value.dtype === 'bool' ? Array.from(value.data, (bit) => bit === 1) : [...value.data], value.shape);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  return value;
}

function nested(values: unknown[], [length, ...shape]: readonly number[]): unknown {
  if (length === undefined) return values[0];
  const size = values.length / length;
  return Array.from({ length }, (_, i) => nested(values.slice(i * size, (i + 1) * size), shape));
}

/** Checks what a data set gives, and that it goes on with the rest from the position after any number of elements. */
export async function expectElements(open: () => Dataset<unknown>, elements: readonly unknown[]): Promise<void> {
  expect((await open().toArray()).map(plain)).toEqual(elements);
  const places =
    elements.length < 8 ? elements.map((_, i) => i) : [0, 1, Math.floor(elements.length / 2), elements.length - 1, elements.length];
  for (const taken of places) {
    const first = open().iterator();
    for (let i = 0; i < taken; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
    await first.return();
    const rest: unknown[] = [];
    for await (const element of second) rest.push(plain(element));
    expect(rest).toEqual(elements.slice(taken));
  }
}
