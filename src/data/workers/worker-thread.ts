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
import { Progress, type JobAnswer, type JobRequest, type ThreadError, type ThreadMessage, type ThreadStart } from './messages.js';
import type { PlacedFunction } from './named-function.js';

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

/** Megabytes for short-lived objects of a thread: V8 would take three times as many, in steps, over the first million elements. */
const YOUNG_MEGABYTES = 16;

/** One worker thread and the jobs that it has not answered. */
export class WorkerThread {
  /** Jobs without an answer, by id. */
  readonly jobs = new Set<number>();
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #progress = new Int32Array(new SharedArrayBuffer(4 * Object.keys(Progress).length));
  #received = 0;
  #reason: Error | undefined;
  #closing = false;

  constructor(
    readonly plan: { readonly functions: readonly PlacedFunction[]; readonly heapMegabytes?: number },
    readonly onAnswer: (answer: JobAnswer) => void,
    readonly onFailure: (error: OrbitError) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { functions, heapMegabytes } = plan;
    const start: ThreadStart = { functions, imports: importedInWorkers(), progress: this.#progress, port: port2 };
    this.#worker = new Worker(workerFile(), {
      name: 'orbit-data',
      workerData: start,
      transferList: [port2],
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
        ...(heapMegabytes !== undefined && { maxOldGenerationSizeMb: heapMegabytes }),
      },
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
    if (Atomics.load(this.#progress, Progress.sent) === this.#received) return; // what came as an event is counted too
    for (let received = receiveMessageOnPort(this.#port); received !== undefined; received = receiveMessageOnPort(this.#port)) {
      this.#take(received.message as ThreadMessage);
    }
  }

  /** The element at work, and how many were begun: as long as that number stays, the thread is busy with it. */
  get progress(): { readonly begun: number; readonly job: number; readonly element: number } {
    const progress = this.#progress;
    return { begun: Atomics.load(progress, Progress.begun), job: progress[Progress.job]!, element: progress[Progress.element]! };
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
