/** File operations that survive a crash: flushed to the device, replaced by rename; system errors in plain words. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads';
import { CheckpointError } from '../errors.js';

const advice: Record<string, string> = {
  EACCES: 'permission denied; choose a directory that this user may write, or change its permissions',
  EPERM: 'not permitted; choose a directory that this user may write, or change its permissions',
  EROFS: 'the file system is read-only; choose another directory',
  ENOSPC: 'the disk is full; free some space, or keep fewer checkpoints (trainer.max_to_keep)',
  EDQUOT: 'the disk quota is used up; free some space, or keep fewer checkpoints (trainer.max_to_keep)',
  EFBIG: 'the file is larger than the file system or the process limit allows',
  ENOENT: 'it does not exist; check the path',
  ENOTDIR: 'a part of the path is a file, not a directory; check the path',
  EISDIR: 'it is a directory where a file was expected',
  EEXIST: 'a file of that name is in the way; move it away',
  ENOTEMPTY: 'a directory of that name is in the way; move it away',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
  EIO: 'the device reported an error; check the disk',
};

/** A `CheckpointError` for a failed file operation: what was tried, on which path, why it failed and what to do. */
export function fileError(what: string, file: string, cause: unknown): CheckpointError {
  if (cause instanceof CheckpointError) return cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const reason = advice[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new CheckpointError(`Cannot ${what} "${file}": ${reason}${code && advice[code] ? ` (${code})` : ''}.`, { cause });
}

/** Runs a file operation and turns its error into {@link fileError}. */
export async function attempt<T>(what: string, file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileError(what, file, error);
  }
}

/** Waits until the names in a directory are on the device. Windows cannot and need not. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a whole new file and waits until it is on the device. `write` gets the open file. */
export async function writeNewFile<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'wx');
  try {
    const result = await write(handle);
    await handle.sync();
    return result;
  } finally {
    await handle.close();
  }
}

/** Replaces a small text file so that a reader sees the old or the new text, whatever happens in between. */
export async function replaceTextFile(file: string, text: string): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await writeNewFile(temporary, (handle) => handle.writeFile(text));
    await rename(temporary, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** How a directory is committed. */
export interface CommitOptions {
  /** What is done, for messages. Default `write the checkpoint`. */
  what?: string;
  /** Whether an existing target is replaced. Default true; with false it is an error. */
  replace?: boolean;
}

/**
 * Makes `target` a directory with what `fill` writes into it, all or nothing: filled under a temporary name in the same
 * parent, flushed, renamed. An existing target steps aside as `<target>.replaced-<milliseconds>` until the new one is there.
 * @throws CheckpointError when a file operation fails
 */
export async function commitDirectory(
  target: string,
  fill: (directory: string) => Promise<void>,
  { what = 'write the checkpoint', replace = true }: CommitOptions = {},
): Promise<void> {
  const parent = path.dirname(target);
  await attempt('create the directory', parent, () => mkdir(parent, { recursive: true }));
  await removeAbandoned();
  const temporary = temporaryName(target);
  let aside: string | undefined;
  try {
    await mkdir(temporary);
    await fill(temporary);
    await syncDirectory(temporary);
    if (replace && (await exists(target))) {
      aside = `${target}.replaced-${Date.now()}`;
      await rename(target, aside);
    }
    await rename(temporary, target);
    await syncDirectory(parent);
  } catch (error) {
    await removeOrAbandon(temporary).catch(() => {});
    if (aside !== undefined && !(await exists(target))) await rename(aside, target).catch(() => {});
    throw fileError(what, target, error);
  }
  if (aside !== undefined) await removeDirectory(aside);
}

/** Deletes a directory; its name goes first, so that no half-deleted checkpoint is ever seen. A missing one is fine. */
export async function removeDirectory(directory: string): Promise<void> {
  const temporary = temporaryName(directory);
  try {
    await rename(directory, temporary);
    await removeOrAbandon(temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError('delete', directory, error);
  }
}

/** Temporary directories of this process that could not be deleted when they should. */
const abandoned = new Set<string>();

async function removeOrAbandon(temporary: string): Promise<void> {
  abandoned.add(temporary);
  await rm(temporary, { recursive: true, force: true });
  abandoned.delete(temporary);
}

/** Tries again: the trouble may be over. */
async function removeAbandoned(): Promise<void> {
  for (const temporary of abandoned) await removeOrAbandon(temporary).catch(() => {});
}

/** Tells whether something has this name. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

// Temporary names say who made them: .tmp-<name>.<host>.<pid>.<token of the process>.<count>
const tokenKey = 'orbit-ts: token of the process'; // passed on to its worker threads
const token = (getEnvironmentData(tokenKey) as string | undefined) ?? randomBytes(4).toString('hex');
setEnvironmentData(tokenKey, token);
const host = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-') || 'host';
let made = threadId * 1e9; // other threads of the process have other counts

function temporaryName(target: string): string {
  return path.join(path.dirname(target), `.tmp-${path.basename(target)}.${host}.${process.pid}.${token}.${made++}`);
}

/** A leftover of another host is taken for dead after this long: whether its process lives cannot be asked. */
const foreignLeftoverHours = 24;

/** Deletes what processes that are gone left under temporary names in `directory`. Names of other kinds are not touched. */
export async function removeLeftovers(directory: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const match = /^\.tmp-.*\.([A-Za-z0-9-]+)\.(\d+)\.([0-9a-f]{8})\.\d+$/.exec(name);
    if (!match) continue;
    const file = path.join(directory, name);
    const gone =
      match[1] === host
        ? match[3] !== token && (Number(match[2]) === process.pid || !isAlive(Number(match[2])))
        : await stat(file).then((s) => Date.now() - s.mtimeMs > foreignLeftoverHours * 3_600_000, () => false); // prettier-ignore
    if (!gone) continue;
    await attempt('delete the leftover', file, () => rm(file, { recursive: true, force: true }));
    removed.push(name);
  }
  return removed;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
