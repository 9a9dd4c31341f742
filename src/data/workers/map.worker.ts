/** A worker thread of `map(inWorker(…))`: applies a module's functions to elements and hands the results over in shared memory. */
import { workerData } from 'node:worker_threads';
import type { ElementNumber } from '../stage.js';
import { encode } from './codec.js';
import { unpack } from './elements.js';
import { numberAt, Progress, type JobRequest, type ThreadMessage, type ThreadStart } from './messages.js';
import { blame, ElementFailure, loadFunctions, runJob, sendable, type LoadedFunction } from './run-job.js';
import { SlotArrays } from './slot-arrays.js';

const { functions, imports, progress, port } = workerData as ThreadStart;
/** Memory in place of a slot that was too small is this much larger than needed, so that slightly longer results fit. */
const SLACK = 1.25;

function send(message: ThreadMessage): void {
  port.postMessage(message);
  Atomics.add(progress, Progress.sent, 1);
}

function answer(id: number, result: unknown, slot: SharedArrayBuffer | undefined, used: number): void {
  try {
    handOver(id, result, slot, used);
  } catch (error) {
    throw blame(result, error);
  }
}

function handOver(id: number, result: unknown, slot: SharedArrayBuffer | undefined, used: number): void {
  const inSlot = slot === undefined ? undefined : encode(result, slot, used);
  if (inSlot !== undefined && inSlot.size <= slot!.byteLength) {
    inSlot.write(new Uint8Array(slot!));
    return send({ id, text: inSlot.text, memory: undefined });
  }
  const { text, size, write } = encode(result);
  const memory = new SharedArrayBuffer(Math.ceil(size * (slot === undefined ? 1 : SLACK)));
  write(new Uint8Array(memory));
  send({ id, text, memory });
}

function fail(id: number, error: unknown): void {
  const [element, cause] = error instanceof ElementFailure ? [error.element, error.cause] : [undefined, error];
  send({ id, error: sendable(cause), element });
}

function work(loaded: readonly LoadedFunction[], { id, text, bytes, rows, slot, numbers, join }: JobRequest): void | Promise<void> {
  const begun = (element: number): void => {
    progress[Progress.job] = id;
    progress[Progress.element] = element;
    Atomics.add(progress, Progress.begun, 1);
  };
  const number = (element: number): ElementNumber => numberAt(numbers, element);
  try {
    const arrays = new SlotArrays(slot);
    const result = runJob(loaded, unpack(text, bytes, rows), { number, join, begun, make: arrays.make });
    if (!(result instanceof Promise)) return answer(id, result, slot, arrays.used);
    return result.then((done) => answer(id, done, slot, arrays.used)).catch((error: unknown) => fail(id, error));
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
