/** What the tests of workers share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll } from 'vitest';

import { inWorker } from '../index.js';
import { useBuiltWorker } from './built-worker.testing.js';

/** Module of the functions. */
export const functions = new URL('./functions.testing.mjs', import.meta.url).href;

/** One of its functions. */
export const named = <A = number, B = number>(name: string) => inWorker<(element: A) => B>(functions, name);

/** Has the tests of this file use a worker built of the sources. */
export function withBuiltWorker(): void {
  let removeWorker: () => void;
  beforeAll(async () => {
    removeWorker = await useBuiltWorker();
  });
  afterAll(() => removeWorker());
}

/** A folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'orbit-workers-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Elements of what can be gone through. */
export async function collect<T>(elements: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const element of elements) list.push(element);
  return list;
}
