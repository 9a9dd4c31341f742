/** One writer per directory: a lock that a second process meets as an error, and that no dead process leaves behind. */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { fileError } from './files.js';
import { openLocked } from './flock.js';
import { stderrLogger, type CheckpointLogger } from './logger.js';

/** Name of the lock file within a directory. It is there while the directory is locked, or after its owner was killed. */
export const lockFileName = '.orbit-lock';

/** A directory that belongs to this process until {@link DirectoryLock.release}. */
export interface DirectoryLock {
  /** Gives the directory back. Calls after the first do nothing. */
  release(): void;
}

/**
 * Takes a directory for writing checkpoints; it is made if missing. The lock is one of the operating system (`flock`; on
 * Windows a file opened without sharing): it ends with its process, so that nothing has to be cleaned up after a kill. What
 * the lock file says about its owner is for people only. Where the file system has no locks, a warning says so and the
 * directory is used without.
 * @param logger where the warning goes; default: standard error
 * @throws CheckpointError naming the owner if the directory is locked, or if the lock file cannot be made
 */
export async function lockDirectory(directory: string, logger: CheckpointLogger = stderrLogger): Promise<DirectoryLock> {
  const file = path.join(directory, lockFileName);
  for (;;) {
    let attempt;
    try {
      mkdirSync(directory, { recursive: true });
      attempt = await openLocked(file);
    } catch (error) {
      throw fileError('lock the directory', directory, error);
    }
    if (attempt.state === 'taken') throw takenError(directory, file);
    if (attempt.state === 'unsupported') {
      logger.warn(
        `"${directory}" is not locked (${attempt.reason}). Take care that no second process writes checkpoints there at the same time.`,
      );
      return { release: () => {} };
    }
    // Between opening and locking, the owner before may have deleted the file: then another file may get the name, and the next lock.
    if (isStill(file, attempt.fd)) return held(file, attempt.fd);
    closeSync(attempt.fd);
  }
}

function held(file: string, fd: number): DirectoryLock {
  const owner = `pid: ${process.pid}\nhost: ${hostname()}\nsince: ${new Date().toISOString()}\n`;
  try {
    if (process.platform === 'win32')
      writeFileSync(ownerFile(file), owner); // the locked file itself cannot be read by others
    else {
      ftruncateSync(fd);
      writeSync(fd, owner);
    }
  } catch {
    // A full disk: the lock holds all the same, and the first checkpoint will tell.
  }
  let open = true;
  return {
    release() {
      if (!open) return;
      open = false;
      const names = process.platform === 'win32' ? [ownerFile(file)] : [file]; // deleted while locked, so never another's
      for (const name of names) {
        try {
          rmSync(name, { force: true });
        } catch {
          // It stays, unlocked, as after a kill.
        }
      }
      closeSync(fd);
    },
  };
}

function ownerFile(file: string): string {
  return process.platform === 'win32' ? `${file}-owner` : file;
}

function isStill(file: string, fd: number): boolean {
  if (process.platform === 'win32') return true;
  const named = statSync(file, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}

function takenError(directory: string, file: string): CheckpointError {
  const owner = readOwner(file);
  const self = owner?.pid === process.pid && owner.host === hostname();
  const who = self ? 'this process itself' : owner ? `process ${owner.pid} on host ${owner.host}` : 'another process';
  const since = owner ? `, since ${owner.since}` : '';
  return new CheckpointError(
    `The directory "${directory}" is in use: ${who} writes checkpoints there${since}. Two writers would delete each other's ` +
      `checkpoints. Wait until it has ended, stop it, or choose another directory.`,
  );
}

/** What the owner wrote about itself; undefined if it has not come to that yet. */
function readOwner(file: string): { pid: number; host: string; since: string } | undefined {
  let text: string;
  try {
    text = readFileSync(ownerFile(file), 'utf8');
  } catch {
    return undefined;
  }
  const match = /^pid: (\d+)\nhost: (.*)\nsince: (.*)\n$/.exec(text);
  return match ? { pid: Number(match[1]), host: match[2]!, since: match[3]! } : undefined;
}
