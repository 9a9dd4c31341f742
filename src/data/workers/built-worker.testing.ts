/** Worker threads run built files; tests of the sources build theirs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { setWorkerFile } from './worker-thread.js';

/** Builds the worker and has pools use it; returns what removes it again. */
export async function useBuiltWorker(): Promise<() => void> {
  const source = import.meta.dirname;
  const folder = mkdtempSync(join(source, '../../../node_modules/.orbit-worker-'));
  const outfile = join(folder, 'map.worker.mjs');
  await build({ entryPoints: [join(source, 'map.worker.ts')], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' });
  setWorkerFile(pathToFileURL(outfile));
  return () => rmSync(folder, { recursive: true, force: true });
}
