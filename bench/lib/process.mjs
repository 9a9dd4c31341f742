// One contender of the benchmark: a process that stays alive and answers JSON lines.
// Protocol (see peers/protocol.py for the other side): a first line {"ready": true, ...}; then one answer per command.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A contender that cannot take part, with a reason for the reader of the report. */
export class PeerError extends Error {}

/** Longest time until a process has imported its framework, and until it answers one command (compilers are slow). */
const READY_TIMEOUT_SECONDS = 180;
const ANSWER_TIMEOUT_SECONDS = 900;
/** How much of a process's error output is kept for messages. */
const KEPT_ERROR_CHARACTERS = 4000;

/** A running process that answers commands, one at a time. */
export class Peer {
  /** What the process said of itself when it was ready. */
  about = {};
  #child;
  #waiting = null;
  #errors = '';
  #ended = null;

  /**
   * Starts a process and waits until it is ready.
   * @param {{name: string, command: string, args: string[], env?: Record<string, string>, cwd?: string}} options
   */
  static async start(options) {
    const peer = new Peer(options);
    try {
      peer.about = await peer.#answer(READY_TIMEOUT_SECONDS);
    } catch (error) {
      peer.close();
      throw error;
    }
    return peer;
  }

  constructor({ name, command, args, env = {}, cwd }) {
    this.name = name;
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-KEPT_ERROR_CHARACTERS);
    });
    this.#child.stdin.on('error', () => {}); // the exit says why
    this.#child.on('error', (error) => this.#end(`cannot start ${command}: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#end(`ended with ${signal ?? `status ${code}`}${lastLines(this.#errors)}`));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#waiting?.resolve(JSON.parse(line));
    });
  }

  /** Sends a command and returns its answer. */
  async ask(command, timeoutSeconds = ANSWER_TIMEOUT_SECONDS) {
    if (this.#ended !== null) throw new PeerError(this.#ended);
    const answer = this.#answer(timeoutSeconds);
    this.#child.stdin.write(JSON.stringify(command) + '\n');
    return answer;
  }

  /** Ends the process. */
  close() {
    this.#child.stdin.end();
    this.#child.kill('SIGKILL');
  }

  async #answer(timeoutSeconds) {
    let timer;
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => reject(new PeerError(`no answer for ${timeoutSeconds} s`)), timeoutSeconds * 1000);
        if (this.#ended !== null) reject(new PeerError(this.#ended));
      });
      if (answer.error !== undefined) throw new PeerError(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  #end(reason) {
    this.#ended ??= reason;
    this.#waiting?.reject(new PeerError(this.#ended));
  }
}

/**
 * Runs a process to its end.
 * @returns wall time of the whole process; the JSON objects it printed, each with the milliseconds from spawn to its arrival.
 */
export async function runToEnd({ command, args, env = {}, cwd, timeoutSeconds = ANSWER_TIMEOUT_SECONDS }) {
  const start = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutSeconds * 1000,
    killSignal: 'SIGKILL',
  });
  const messages = [];
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-KEPT_ERROR_CHARACTERS)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const atMs = performance.now() - start;
    if (!line.startsWith('{')) return;
    try {
      messages.push({ ...JSON.parse(line), atMs });
    } catch {
      // a framework's own print
    }
  });
  let exitMs = 0;
  child.on('exit', () => (exitMs = performance.now() - start));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new PeerError(`cannot start ${command}: ${error.message}`)));
    child.on('close', (...end) => resolve(end));
  });
  if (code !== 0) throw new PeerError(`ended with ${signal ?? `status ${code}`}${lastLines(errors)}`);
  return { wallMs: exitMs, messages };
}

function lastLines(text) {
  const lines = text.trim().split('\n').slice(-3).join(' | ');
  return lines === '' ? '' : `: ${lines.slice(-400)}`;
}
