import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** All modules that importing a file pulls in, types aside: own files by path, others by name. */
function modulesOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const code = readFileSync(file, 'utf8');
  for (const [, clause, name] of code.matchAll(/^(?:import|export)\s+([^;]*?from\s+)?'([^']+)'/gm)) {
    if (clause?.startsWith('type ')) continue;
    if (name!.startsWith('.')) modulesOf(resolve(dirname(file), name!.replace(/\.js$/, '.ts')), found);
    else found.add(name!);
  }
  for (const [, name] of code.matchAll(/\bimport\('([^']+)'\)/g)) found.add(name!);
  return found;
}

describe('importing orbit', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const modules = [...modulesOf(resolve(root, 'orbit/index.ts'))];

  it('pulls in its own room, the errors, the nearest name and Node, and so neither tfjs nor a native library', () => {
    const others = modules.filter((name) => !name.startsWith(resolve(root, 'orbit')) && !name.startsWith('node:'));
    expect(others.sort()).toEqual([resolve(root, 'errors.ts'), resolve(root, 'nearest-name.ts')]);
    expect(modules.length).toBeGreaterThan(30);
  });
});
