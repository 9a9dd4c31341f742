/** Where in the user's code a kernel was called. */

const OWN_CODE = /[\\/](orbit-ts|dist|src)[\\/](function|tf|chunks|optimization|metrics|experiment)[\\/]|node_modules|node:internal/;

/** Captures the stack cheaply; it is formatted only when somebody asks for the line. */
export function captureOrigin(): { readonly stack?: string } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  const origin: { stack?: string } = {};
  Error.captureStackTrace(origin, captureOrigin);
  Error.stackTraceLimit = limit;
  return origin;
}

/** The first line of a stack that is neither ours nor a library's, as `file:line:column`; undefined when there is none. */
export function userLine(stack: string | undefined): string | undefined {
  for (const line of (stack ?? '').split('\n')) {
    const at = /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(line.trim());
    if (at === null || (OWN_CODE.test(at[1]!) && !/\.test\.ts:/.test(at[1]!))) continue;
    return at[1]!.replace('file://', '');
  }
  return undefined;
}
