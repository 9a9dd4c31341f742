/** A directory without the permission to write, for root, too. */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A user that owns nothing; Linux and macOS call it nobody. */
const somebody = 65534;

/** Windows has other permissions. */
export const hasPermissions = process.platform !== 'win32';

/** Runs `body` with a directory that its user may read, not write. Root may write anywhere: it becomes another user meanwhile. */
export async function inUnwritableDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'unwritable-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(directory, somebody, somebody);
  await chmod(directory, 0o500);
  if (isRoot) process.seteuid!(somebody);
  try {
    await body(directory);
  } finally {
    if (isRoot) process.seteuid!(0);
    await rm(directory, { recursive: true });
  }
}
