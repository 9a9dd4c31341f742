/** Faults of the machine that a mistake can be made under: a disk that is full, a directory that may not be written. */
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

type Calls = Record<string, (...args: never[]) => unknown>;

/** Lets the named functions of `node:fs` and `node:fs/promises` fail with a system error for paths below `directory`. */
function failing(names: readonly string[], code: string, text: string, directory: string): () => void {
  const undo: (() => void)[] = [];
  const below = path.resolve(directory);
  for (const [room, isAsync] of [
    [fs, false],
    [fsPromises, true],
  ] as const) {
    const calls = room as unknown as Calls;
    for (const name of names) {
      const real = calls[name];
      if (real === undefined) continue;
      calls[name] = ((...args: unknown[]) => {
        const target = typeof args[0] === 'string' ? path.resolve(args[0]) : '';
        const writes = name !== 'open' && name !== 'openSync' ? true : /[wa+]/.test(String(args[1] ?? 'r'));
        if (!target.startsWith(below) || !writes) return real(...(args as never[]));
        const error = Object.assign(new Error(`${code}: ${text}, ${name.replace('Sync', '')} '${String(args[0])}'`), {
          code,
          errno: -1,
          syscall: name,
        });
        if (isAsync) return Promise.reject(error);
        throw error;
      }) as never;
      undo.push(() => void (calls[name] = real));
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const one of undo) one();
    syncBuiltinESMExports();
  };
}

/** Nothing can be made or opened for writing below `directory`: it belongs to someone else. */
export function readOnly(directory: string): () => void {
  return failing(['mkdir', 'mkdirSync', 'open', 'openSync', 'writeFile', 'writeFileSync'], 'EACCES', 'permission denied', directory);
}

/** Directories can be made below `directory`, but no file has room. */
export function diskFull(directory: string): () => void {
  return failing(['open', 'openSync', 'writeFile', 'writeFileSync'], 'ENOSPC', 'no space left on device', directory);
}
