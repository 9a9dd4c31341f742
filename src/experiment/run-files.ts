/** The small files that a run leaves in the model directory, each written whole or not at all. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { replaceTextFile } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';

/**
 * Writes a text file atomically: a temporary file beside it, flushed to disk, then renamed over the target. What a process that
 * dies meanwhile leaves is swept with the leftovers of checkpoints. Missing directories are made.
 * @throws UsageError that says why the file cannot be written; nothing half-written stays
 */
export async function writeFileAtomically(file: string, text: string): Promise<void> {
  try {
    makeLevels(path.dirname(file));
    await replaceTextFile(file, text);
  } catch (error) {
    throw new UsageError(`Cannot write ${file}: ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error });
  }
}

/**
 * Makes a directory and those above it; nothing happens if it is there. (Node's own recursive mkdir never returns below
 * /proc and the like.)
 * @throws UsageError that says why it cannot be made
 */
export function makeDirectory(directory: string): void {
  try {
    makeLevels(directory);
  } catch (error) {
    throw new UsageError(`Cannot make the directory ${directory}: ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error });
  }
}

function makeLevels(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(directory).isDirectory()) return;
    const parent = path.dirname(directory);
    if (code !== 'ENOENT' || parent === directory || existsSync(parent)) throw error;
    makeLevels(parent);
    mkdirSync(directory);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied. Choose a directory that you may write to.';
    case 'EROFS':
      return 'the file system is read-only. Choose another directory.';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left. Free some, or choose another directory.';
    case 'ENOENT':
      return 'the directory cannot be made there. Choose another one.';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is a file, not a directory. Choose another directory.';
    default:
      return `${message}.`;
  }
}

/** JSON with NaN and infinities as the strings `"NaN"`, `"Infinity"`, `"-Infinity"`, which plain JSON lacks. */
export function toJson(value: unknown, indent?: number): string {
  const replacer = (_key: string, v: unknown): unknown => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v);
  return JSON.stringify(value, replacer, indent);
}

/** Writes `<logDir>/metrics-<step>.json`: every value as text, indented by four blanks. Returns the file's path. */
export async function writeJsonSummary(logDir: string, step: number, metrics: Record<string, unknown>): Promise<string> {
  const asText = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
      ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, asText(v)]))
      : String(value);
  const file = path.join(logDir, `metrics-${step}.json`);
  await writeFileAtomically(file, `${JSON.stringify(asText(metrics), null, 4)}\n`);
  return file;
}
