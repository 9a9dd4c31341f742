/** A worker thread of `map(inWorker(…))`: applies a module's functions to elements and hands the results over in shared memory. */
import { workerData } from 'node:worker_threads';
import { decode, encode, viewsOf } from './codec.js';
import type { JobRequest, ThreadMessage, ThreadStart } from './messages.js';
import { ElementFailure, loadFunctions, runJob, sendable, type LoadedFunction } from './run-job.js';

const { functions, imports, seed, sent, port } = workerData as ThreadStart;
/** Memory in place of a slot that was too small is this much larger than needed, so that slightly longer results fit. */
const SLACK = 1.25;

function send(message: ThreadMessage): void {
  port.postMessage(message);
  Atomics.add(sent, 0, 1);
  Atomics.notify(sent, 0);
}

function answer(id: number, result: unknown, slot: SharedArrayBuffer | undefined): void {
  const { text, size, write } = encode(result);
  const fits = slot !== undefined && slot.byteLength >= size;
  const memory = fits ? slot : new SharedArrayBuffer(Math.ceil(size * (slot === undefined ? 1 : SLACK)));
  write(new Uint8Array(memory));
  send({ id, text, memory: fits ? undefined : memory });
}

function fail(id: number, error: unknown): void {
  const [element, cause] = error instanceof ElementFailure ? [error.element, error.cause] : [undefined, error];
  send({ id, error: sendable(cause), element });
}

function work(loaded: readonly LoadedFunction[], { id, text, bytes, slot, ...job }: JobRequest): void | Promise<void> {
  try {
    const result = runJob(loaded, decode(text, viewsOf(bytes)) as unknown[], { ...job, seed });
    if (!(result instanceof Promise)) return answer(id, result, slot);
    return result.then((done) => answer(id, done, slot)).catch((error: unknown) => fail(id, error));
  } catch (error) {
    fail(id, error);
  }
}

async function start(): Promise<void> {
  for (const module of imports) await import(module);
  const loaded = await loadFunctions(functions);
  let last: Promise<void> | undefined;
  port.on('message', (request: JobRequest) => {
    // One job at a time, also where the functions are asynchronous.
    const working = last === undefined ? work(loaded, request) : last.then(() => work(loaded, request));
    if (working === undefined) return;
    const settled: Promise<void> = working.then(() => {
      if (last === settled) last = undefined;
    });
    last = settled;
  });
}

start().catch((error: unknown) => send({ fatal: sendable(error) }));
