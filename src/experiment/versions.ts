/** Versions of what takes part in a run. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Version of this package, read from the nearest package.json above this module. */
export function packageVersion(): string {
  for (let directory = import.meta.dirname; ; directory = path.dirname(directory)) {
    try {
      const found = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as { name?: string; version?: string };
      if (found.name === 'orbit-ts') return found.version ?? '0';
    } catch {
      // not here: look further up
    }
    if (directory === path.dirname(directory)) return '0';
  }
}

/** Versions by name: this package, Node, the platform. */
export function versions(): Record<string, string> {
  return { 'orbit-ts': packageVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}
