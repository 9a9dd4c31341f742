/** Where in the user's code a kernel was called. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a call comes from. */
export interface Origin {
  /** The part of the model, such as `sequential_1/dense_1`, `optimizer` or `gradient of …`; empty outside every part. */
  readonly scope?: string;
  /** Captured stack; formatted only on demand. */
  readonly stack?: string | undefined;
  /** The forward op's origin, for a call that computes a gradient of it. */
  readonly at?: Origin;
}

const ROOMS = 'function|tf|chunks|optimization|metrics|experiment';
/** The folder of this package: the one that holds `src` or `dist`. */
const ROOT = fileURLToPath(import.meta.url).replace(/[\\/](src|dist)[\\/].*$/s, '');
const OWN_CODE = new RegExp(`^${ROOT.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[\\\\/](src|dist)[\\\\/](${ROOMS})[\\\\/]`);
const LIBRARY = /[\\/]node_modules[\\/]|^node:/;

/** Frames kept: enough to reach the user's line from below the layers and gradients of tfjs. */
export const FRAMES = 60;

/** Captures the stack cheaply. */
export function captureOrigin(scope = ''): Origin {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const origin: { scope: string; stack?: string } = { scope };
  Error.captureStackTrace(origin, captureOrigin);
  Error.stackTraceLimit = limit;
  return origin;
}

/** The first line of a stack that is neither ours nor a library's, as `file:line:column`; undefined when there is none. */
export function userLine(from: Origin | string | undefined): string | undefined {
  if (typeof from === 'object') return userLine(from.stack) ?? userLine(from.at);
  for (const line of (from ?? '').split('\n')) {
    const at = /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(line.trim());
    if (at === null) continue;
    const [, file, position] = /^(.*?)(:\d+:\d+)$/.exec(at[1]!) as unknown as [string, string, string];
    const name = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (LIBRARY.test(name) || (OWN_CODE.test(name) && !name.endsWith('.test.ts'))) continue;
    return name + position;
  }
  return undefined;
}

/** As {@link userLine}, relative to the working directory when the file lies in it, without the column. */
export function shortLine(origin: Origin | undefined): string | undefined {
  const line = userLine(origin);
  if (line === undefined) return undefined;
  const relative = path.relative(process.cwd(), line);
  return (relative.startsWith('..') ? line : relative).replace(/:\d+$/, '');
}

/** The end of an error message: the function, the part of the model and the line that an error is about. */
export function placeText(functionName: string, origin: Origin | undefined): string {
  const line = userLine(origin);
  const part = origin?.scope ? `, in ${origin.scope}` : '';
  return `\n  in the compiled function "${functionName}"${part}${line === undefined ? '' : `, at ${line}`}`;
}
