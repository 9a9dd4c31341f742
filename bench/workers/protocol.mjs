// What our own processes share with the Python peers: JSON lines, one answer per command (see lib/process.mjs).
import { createInterface } from 'node:readline';

/** Keeps standard output for the protocol: whatever is printed otherwise goes to standard error. */
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

function answer(message) {
  write(JSON.stringify(message) + '\n');
}

/**
 * Answers commands with `handlers[command.do](command)` until standard input ends.
 * @param {Record<string, (command: any) => unknown>} handlers
 * @param {object} about what the parent should know of this process
 */
export async function serve(handlers, about = {}) {
  answer({ ready: true, node: process.version, ...about });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      const handler = handlers[command.do];
      if (handler === undefined) throw new Error(`unknown command; known: ${Object.keys(handlers).join(', ')}`);
      answer((await handler(command)) ?? {});
    } catch (error) {
      answer({ error: String(error instanceof Error ? `${error.name}: ${error.message}` : error).slice(0, 2000) });
    }
  }
  process.exit(0);
}
