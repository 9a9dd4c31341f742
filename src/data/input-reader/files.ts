import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigError } from '../../errors.js';

/**
 * The files that an `input_path` means: a text or a list of texts, each split at commas, parts trimmed, empty parts left out.
 * A part with `*` or `?` is matched against the file system (within one folder level, sorted by name, hidden files aside; `[ab]`
 * and `[!ab]` are one of these characters, or another); any other part is taken as it is. Throws a {@link ConfigError} where a pattern matches nothing or nothing is left.
 */
export function matchFiles(inputPath: unknown, path = 'input_path'): string[] {
  const texts: unknown[] = Array.isArray(inputPath) ? inputPath : [inputPath];
  const files = texts.flatMap((text) => {
    if (typeof text !== 'string') {
      throw new ConfigError(`${path} is ${JSON.stringify(text)}; a text or a list of texts was expected.`, { path });
    }
    const parts = text.split(',').map((part) => part.trim());
    return parts.filter((part) => part !== '').flatMap((part) => (/[*?]/.test(part) ? glob(part, path) : [part]));
  });
  if (files.length === 0) throw new ConfigError(`${path} names no file.`, { path });
  return files;
}

function glob(pattern: string, path: string): string[] {
  const [root, ...segments] = pattern.split('/');
  let folders = [root === '' ? '/' : '.'];
  const levels = root === '' ? segments : [root!, ...segments];
  levels.forEach((segment, depth) => {
    if (segment === '') return;
    const last = depth === levels.length - 1;
    folders = folders.flatMap((folder) => entries(folder, segment).filter((entry) => last || isDirectory(entry)));
  });
  if (folders.length === 0) throw new ConfigError(`${path}: no file matches ${pattern} (seen from ${process.cwd()}).`, { path });
  return folders;
}

function entries(folder: string, segment: string): string[] {
  const name = (entry: string): string => (folder === '.' ? entry : join(folder, entry));
  if (!/[*?]/.test(segment)) return exists(name(segment)) ? [name(segment)] : [];
  const expression = new RegExp(`^${pieces(segment).join('')}$`, 's');
  try {
    const names = readdirSync(folder).filter((entry) => expression.test(entry) && (segment.startsWith('.') || !entry.startsWith('.')));
    return names.sort().map(name);
  } catch {
    return []; // not a folder, or not readable: nothing in it matches
  }
}

/** A segment of a pattern as a regular expression. A bracket that is not closed is itself. */
function pieces(segment: string): string[] {
  return (segment.match(/\*+|\?|\[!?\]?[^\]]*\]|[^]/gu) ?? []).map((piece) => {
    if (piece.startsWith('*')) return '.*';
    if (piece === '?') return '.';
    if (piece.length < 3) return piece.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    const excluded = piece.startsWith('[!');
    return `[${excluded ? '^' : ''}${piece.slice(excluded ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&')}]`;
  });
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
