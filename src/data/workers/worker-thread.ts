import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  getEnvironmentData,
  MessageChannel,
  receiveMessageOnPort,
  setEnvironmentData,
  Worker,
  type MessagePort,
} from 'node:worker_threads';

import { DataError, OrbitError, UsageError } from '../../errors.js';
import type { InWorker } from './named-function.js';
import type { JobAnswer, JobRequest, ThreadError, ThreadMessage, ThreadStart } from './messages.js';

const importsKey = 'orbit-ts: modules to import in workers'; // passed on to worker threads

/** Has workers import a module (by its address) before they work: what the command line's `--import` does. */
export function importInWorkers(module: string): void {
  setEnvironmentData(importsKey, [...importedInWorkers(), module]);
}

function importedInWorkers(): readonly string[] {
  return (getEnvironmentData(importsKey) as readonly string[] | undefined) ?? [];
}

let file: URL | undefined;

/** Starts workers from another file than the built one: for tests of the sources. */
export function setWorkerFile(url: URL): void {
  file = url;
}

function workerFile(): URL {
  file ??= new URL('./map.worker.js', import.meta.url);
  if (existsSync(fileURLToPath(file))) return file;
  throw new UsageError(
    `The file of the worker threads, ${file.href}, is not there: was orbit-ts bundled? Keep it outside the bundle, or set workers: 0.`,
  );
}

/** One worker thread and the jobs that it has not answered. */
export class WorkerThread {
  /** Jobs without an answer, by id. */
  readonly jobs = new Set<number>();
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #sent = new Int32Array(new SharedArrayBuffer(4));
  #received = 0;
  #reason: Error | undefined;
  #closing = false;

  constructor(
    readonly plan: { readonly functions: readonly InWorker<unknown, unknown>[]; readonly seed: number; readonly heapMegabytes?: number },
    readonly onAnswer: (answer: JobAnswer) => void,
    readonly onFailure: (error: OrbitError) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { functions, seed, heapMegabytes } = plan;
    const names = functions.map(({ module, exportName }) => ({ module, exportName }));
    const start: ThreadStart = { functions: names, imports: importedInWorkers(), seed, sent: this.#sent, port: port2 };
    this.#worker = new Worker(workerFile(), {
      name: 'orbit-data',
      workerData: start,
      transferList: [port2],
      resourceLimits: heapMegabytes === undefined ? undefined : { maxOldGenerationSizeMb: heapMegabytes },
    });
    this.#worker.on('error', (error) => (this.#reason = error));
    this.#worker.on('exit', (status) => this.#ended(status));
    port1.on('message', (message: ThreadMessage) => this.#take(message));
    this.ref(false);
  }

  /** Whether the thread keeps the process alive. */
  ref(on: boolean): void {
    if (on) this.#worker.ref();
    else this.#worker.unref();
    if (on) this.#port.ref();
    else this.#port.unref();
  }

  /** Sends a job. */
  post(request: JobRequest): void {
    this.jobs.add(request.id);
    this.#port.postMessage(request, [request.bytes]);
  }

  /** Takes the answers that are there, without a turn of the event loop. */
  receive(): void {
    if (Atomics.load(this.#sent, 0) === this.#received) return; // what came as an event is counted too
    for (let received = receiveMessageOnPort(this.#port); received !== undefined; received = receiveMessageOnPort(this.#port)) {
      this.#take(received.message as ThreadMessage);
    }
  }

  #take(message: ThreadMessage): void {
    this.#received = (this.#received + 1) | 0;
    if ('fatal' in message) {
      const { name, message: text } = message.fatal;
      this.onFailure(new (name === 'UsageError' ? UsageError : DataError)(text, { cause: revived(message.fatal) }));
      return;
    }
    this.jobs.delete(message.id);
    this.onAnswer(message);
  }

  #ended(status: number): void {
    if (this.#closing) return;
    this.receive(); // answers that it sent before
    const { code, message } = (this.#reason ?? {}) as NodeJS.ErrnoException;
    const functions = this.plan.functions.map(({ module, exportName }) => `${exportName} of ${module}`).join(', ');
    const why =
      code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? 'ran out of memory; use fewer workers or smaller batches, and free what the function keeps between elements'
        : this.#reason !== undefined
          ? `failed outside the call of its function: ${message}`
          : `was ended with status ${status}, perhaps by process.exit()`;
    this.onFailure(new DataError(`A worker thread for ${functions} ${why}.`, { cause: this.#reason }));
  }

  /** Ends the thread, whatever it does. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#port.close();
    await this.#worker.terminate();
  }
}

/** The error of another thread with its stack. */
export function revived({ name, message, stack }: ThreadError): Error {
  const error = new Error(message);
  error.name = name;
  error.stack = stack === '' ? `${name}: ${message}` : stack;
  return error;
}
