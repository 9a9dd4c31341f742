import { expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { DamagedCheckpointError } from './damaged.js';
import { restoreNewest } from './restore-newest.js';

/** A checkpoint whose `restore` fails for some paths, and what was tried and said. */
function trial(failures: Record<string, Error>) {
  const tried: string[] = [];
  const warnings: string[] = [];
  const checkpoint = {
    restore: (path: string) => {
      tried.push(path);
      return failures[path] ? Promise.reject(failures[path]) : Promise.resolve({} as never);
    },
  };
  const logger = { warn: (message: string) => void warnings.push(message) };
  return { tried, warnings, restore: (...candidates: string[]) => restoreNewest(checkpoint, candidates, '/run', logger) };
}

it('restores the first that is whole, tries no older one, and tells which it skipped', async () => {
  const { tried, warnings, restore } = trial({ '/run/c': new DamagedCheckpointError('c is short.') });
  expect(await restore('/run/c', '/run/b', '/run/a')).toBe('/run/b');
  expect(tried).toEqual(['/run/c', '/run/b']);
  expect(warnings).toEqual(['Skipped a checkpoint: c is short.']);
});

it('skips none that does not fit: an older one would not fit either', async () => {
  const { tried, restore } = trial({ '/run/b': new CheckpointError('Another model.') });
  await expect(restore('/run/b', '/run/a')).rejects.toThrow('Another model.');
  expect(tried).toEqual(['/run/b']);
});

it('fails with all reasons where every checkpoint is damaged, and has nothing to do where there is none', async () => {
  const { warnings, restore } = trial({
    '/run/b': new DamagedCheckpointError('b is short.'),
    '/run/a': new DamagedCheckpointError('a is odd.'),
  });
  await expect(restore('/run/b', '/run/a')).rejects.toThrow(/No checkpoint in "\/run" can be restored:\n {2}b is short.\n {2}a is odd.\n/);
  expect(warnings).toEqual([]);
  expect(await restore()).toBe(null);
});
