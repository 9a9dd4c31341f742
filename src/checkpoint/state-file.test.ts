import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readStateFile, writeStateFile, type StoredState } from './state-file.js';

const root = await mkdtemp(path.join(tmpdir(), 'state-file-'));
const segment = fc
  .string({ minLength: 1, unit: 'grapheme' })
  .filter((s) => !/[/\\\0]/.test(s) && s !== '.' && s !== '..' && !s.startsWith('..'));

describe('the state file', () => {
  it('gives paths and times back, whatever characters the names have', async () => {
    const warn = vi.fn();
    const metrics = fc.option(fc.dictionary(segment, fc.double(), { minKeys: 1 }), { nil: undefined });
    const entry = fc.record({ name: segment, timestampSeconds: fc.double({ min: 0, max: 4e9, noNaN: true }), metrics });
    const entries = fc.array(entry, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(entries, fc.double({ min: 0, max: 4e9, noNaN: true }), async (list, lastPreservedSeconds) => {
        const managed = list.map(({ name, ...rest }) => ({ path: path.join(root, name), ...rest }));
        const latest = managed.at(-1)!.path;
        await writeStateFile(root, { latest, managed, lastPreservedSeconds });
        const back = readStateFile(root, warn) as StoredState;
        expect(back).toEqual({
          latest,
          paths: managed.map((c) => c.path),
          timestampsSeconds: managed.map((c) => c.timestampSeconds),
          metrics: managed.some((c) => c.metrics) ? managed.map((c) => c.metrics && withoutMinusZero(c.metrics)) : [],
          lastPreservedSeconds,
        });
      }),
      { numRuns: 30 },
    );
    expect(warn).not.toHaveBeenCalled();
  });

  it('has paths relative to its directory, and whole ones for checkpoints elsewhere', async () => {
    const directory = path.join(root, 'a');
    await mkdir(directory);
    await writeStateFile(directory, {
      latest: path.join(directory, 'ckpt-2'),
      managed: [{ path: path.join(root, 'b', 'ckpt-1'), timestampSeconds: 5 }],
      lastPreservedSeconds: 1.5,
    });
    expect(await readFile(path.join(directory, 'checkpoint'), 'utf8')).toBe(
      `model_checkpoint_path: "ckpt-2"\nall_model_checkpoint_paths: ${JSON.stringify(path.join(root, 'b', 'ckpt-1'))}\nall_model_checkpoint_timestamps: 5\nlast_preserved_timestamp: 1.5\n`,
    );
  });

  it('is null where there is none, and ignored with a warning where it makes no sense', async () => {
    const warn = vi.fn();
    expect(readStateFile(path.join(root, 'none'), warn)).toBeNull();
    for (const text of ['x', 'model_checkpoint_path: ckpt-1', 'model_checkpoint_path: "ckpt-1', '{"a": 1}']) {
      await writeFile(path.join(root, 'checkpoint'), text);
      expect(readStateFile(root, warn)).toBe('damaged');
    }
    expect(warn).toHaveBeenCalledTimes(4);
  });
});

/** JSON has no -0; a metric loses its sign, nothing else. */
function withoutMinusZero(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value + 0]));
}
