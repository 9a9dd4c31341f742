/** Lines that tell the user something that is no error: the one place through which they leave. */

/** Takes a line, without its end. */
export type NoticeHandler = (line: string) => void;

const toStderr: NoticeHandler = (line) => void process.stderr.write(`${line}\n`);

// One handler per process, also when two copies of this module are loaded (the sources and the built package).
const place = globalThis as { [key: symbol]: NoticeHandler | undefined };
const HANDLER = Symbol.for('orbit-ts notices');

/** Tells the user something that is no error, in one line. */
export function notice(line: string): void {
  (place[HANDLER] ?? toStderr)(line);
}

/**
 * Sends notices elsewhere than to standard error; without argument, back there. Notices are lines about what has no effect, is slow
 * or is left out, such as native kernels that are missing or records that are skipped.
 */
export function setNoticeHandler(handler?: NoticeHandler): void {
  place[HANDLER] = handler;
}
