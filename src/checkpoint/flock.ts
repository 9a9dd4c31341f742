/** The system's lock on an open file: it ends with the process that holds it, however that ends. */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as system } from 'node:os';

/** What came of an attempt to lock: `unsupported` if the system or the file system has no such locks. */
export type LockAttempt =
  | { readonly state: 'locked'; readonly fd: number }
  | { readonly state: 'taken' }
  | { readonly state: 'unsupported'; readonly reason: string };

const lockExclusive = 2;
const lockNonBlocking = 4;
/** libuv's flag for opening without sharing (`UV_FS_O_EXLOCK`); Windows alone knows it. */
const openExclusive = 0x1000_0000;

/**
 * Opens `file` (made if missing) and locks it, without waiting. Closing the descriptor, or the end of the process, unlocks it.
 * @throws the system's error if the file cannot be opened
 */
export async function openLocked(file: string): Promise<LockAttempt> {
  return process.platform === 'win32' ? openUnshared(file) : openWithFlock(file);
}

function openUnshared(file: string): LockAttempt {
  try {
    return { state: 'locked', fd: openSync(file, constants.O_RDWR | constants.O_CREAT | openExclusive) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return { state: 'taken' };
    throw error;
  }
}

async function openWithFlock(file: string): Promise<LockAttempt> {
  const fd = openSync(file, 'a+');
  let code: number;
  try {
    const { default: koffi } = await import('koffi'); // only now: most users of checkpoints need no native code
    flock ??= koffi.load(null).func('int flock(int fd, int operation)') as Flock;
    code = flock(fd, lockExclusive | lockNonBlocking) === 0 ? 0 : koffi.errno();
  } catch (error) {
    closeSync(fd);
    return { state: 'unsupported', reason: error instanceof Error ? error.message : String(error) };
  }
  if (code === 0) return { state: 'locked', fd };
  closeSync(fd);
  if (code === system.errno.EWOULDBLOCK || code === system.errno.EAGAIN) return { state: 'taken' };
  const name = Object.entries(system.errno).find(([, value]) => value === code)?.[0] ?? `error ${code}`;
  return { state: 'unsupported', reason: `the file system answers ${name}` };
}

type Flock = (fd: number, operation: number) => number;
let flock: Flock | undefined;
