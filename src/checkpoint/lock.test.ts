/** One writer per directory, tried with real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { lockDirectory, lockFileName } from './lock.js';
import { hasPermissions, inUnwritableDirectory } from './unwritable.testing.js';

const koffi = pathToFileURL(createRequire(import.meta.url).resolve('koffi')).href;
let root: string;
let script: string;
const children: ChildProcess[] = [];

/** Locks a directory, says so, and keeps it until its standard input ends. */
const child = `
import { lockDirectory } from './lock.mjs';
try {
  const lock = await lockDirectory(process.argv[2]);
  process.stdout.write('locked');
  process.stdin.resume().on('end', () => lock.release());
} catch (error) {
  process.stdout.write(error.name + ': ' + error.message);
  process.exitCode = 3;
}
`;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lock-'));
  script = path.join(root, 'child.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'lock.ts')],
    outfile: path.join(root, 'lock.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    plugins: [
      {
        name: 'koffi-where-it-is',
        setup: (b) => b.onResolve({ filter: /^koffi$/ }, () => ({ path: koffi, external: true })),
      },
    ],
    logLevel: 'error',
  });
  await writeFile(script, child);
});
afterAll(async () => {
  for (const running of children) running.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

/** Starts a process that locks `directory`, and resolves with what it said first. */
async function startOwner(directory: string): Promise<{ owner: ChildProcess; said: string; ended: Promise<number | null> }> {
  const owner = spawn(process.execPath, [script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(owner);
  const ended = new Promise<number | null>((resolve) => owner.on('close', resolve));
  const said = await new Promise<string>((resolve) => owner.stdout!.once('data', (text: Buffer) => resolve(text.toString())));
  return { owner, said, ended };
}

describe('lockDirectory', () => {
  it('stops a second process with the owner, its host and the time', async () => {
    const directory = path.join(root, 'two');
    const first = await startOwner(directory);
    expect(first.said).toBe('locked');
    const second = await startOwner(directory);
    expect(second.said).toContain(
      `CheckpointError: The directory "${directory}" is in use: process ${first.owner.pid} on host ${hostname()}`,
    );
    expect(second.said).toMatch(/, since \d{4}-\d\d-\d\dT[\d:.]+Z\. .*or choose another directory\.$/);
    expect(await second.ended).toBe(3);
    await expect(lockDirectory(directory)).rejects.toThrow(CheckpointError);
    first.owner.stdin!.end();
    expect(await first.ended).toBe(0);
    expect(await readdir(directory)).toEqual([]);
    (await lockDirectory(directory)).release();
  });

  it('is free again at once when its owner was killed', async () => {
    const directory = path.join(root, 'killed');
    for (let round = 0; round < 3; round++) {
      const { owner, said, ended } = await startOwner(directory);
      expect(said).toBe('locked');
      owner.kill('SIGKILL');
      await ended;
      expect(existsSync(path.join(directory, lockFileName))).toBe(true); // left behind, and in nobody's way
    }
    const lock = await lockDirectory(directory);
    lock.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('goes to exactly one of many that want it at the same time, again and again', async () => {
    const directory = path.join(root, 'many');
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
      const owned = results.filter((r) => r.status === 'fulfilled');
      expect(owned.length).toBe(1);
      owned[0]!.value.release();
      owned[0]!.value.release();
    }
  });

  it('keeps a second writer of the same process out, too, and says that it is the same', async () => {
    const directory = path.join(root, 'same');
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(/is in use: this process itself writes checkpoints there, since /);
    lock.release();
  });

  it('pays no attention to what a lock file says that nobody holds', async () => {
    const directory = path.join(root, 'same');
    await writeFile(path.join(directory, lockFileName), `pid: 1\nhost: ${hostname()}\nsince: 2001-01-01T00:00:00.000Z\n`);
    (await lockDirectory(directory)).release();
  });

  it.skipIf(!hasPermissions)('says that a directory cannot be written', () =>
    inUnwritableDirectory((directory) =>
      expect(lockDirectory(directory)).rejects.toThrow(/^Cannot lock the directory ".*unwritable-.*": permission denied/),
    ),
  );

  it('says that a file is in the way of the directory', async () => {
    await writeFile(path.join(root, 'file'), '');
    await expect(lockDirectory(path.join(root, 'file', 'run'))).rejects.toThrow(
      /^Cannot lock the directory ".*": a part of the path is a file/,
    );
  });
});
