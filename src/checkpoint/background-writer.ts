/** Writes snapshots on a worker thread: the calling thread is held up for a memory copy at most. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CheckpointError } from '../errors.js';
import type { WriteAnswer, WriteRequest } from './snapshot.worker.js';
import type { StateArray, StateTensor } from './state.js';
import { modelFile, stateFile, writeSnapshot, type CheckpointSnapshot } from './write-snapshot.js';

/** Writes one snapshot at a time. Its buffer has the size of the largest one and is kept: fresh memory costs more than the copy. */
export class BackgroundWriter {
  private buffer = new SharedArrayBuffer(0);
  /** Set to 1 when somebody waits: the thread then writes at full speed. */
  private readonly urgent = new Int32Array(new SharedArrayBuffer(4));

  /**
   * Copies a snapshot before it returns, except for tensors in `held` memory, and writes it to the directory `target`, all or
   * nothing. The one before must have settled. The process stays alive until it is written. While nobody waits for it the
   * thread rests between chunks, so that it takes little from the steps that run meanwhile.
   * @param held shared memory that stays as it is until the write has settled
   */
  write(snapshot: CheckpointSnapshot, target: string, held: ReadonlySet<ArrayBufferLike> = new Set()): Promise<void> {
    const copy = this.copy(snapshot, held);
    Atomics.store(this.urgent, 0, 0);
    thread ??= startThread();
    return thread === 'none' ? writeSnapshot(copy, target) : thread.write(copy, target, this.urgent);
  }

  /** Somebody waits for the write. */
  hurry(): void {
    Atomics.store(this.urgent, 0, 1);
    Atomics.notify(this.urgent, 0);
  }

  /** Starts the thread and lets it bring the pages of fresh memory into being, which costs more than writing them later. */
  prepare(fresh: readonly SharedArrayBuffer[]): void {
    thread ??= startThread();
    if (thread !== 'none') thread.touch(fresh);
  }

  private copy(snapshot: CheckpointSnapshot, held: ReadonlySet<ArrayBufferLike>): CheckpointSnapshot {
    const { [modelFile]: model, [stateFile]: state } = snapshot.tensors;
    const toCopy = [...model.values(), ...state.values()].filter(({ data }) => !held.has(data.buffer));
    const total = toCopy.reduce((sum, { data }) => sum + aligned(data.byteLength), 0);
    if (this.buffer.byteLength < total) this.buffer = new SharedArrayBuffer(total);
    let at = 0;
    const copied = (tensors: ReadonlyMap<string, StateTensor>): Map<string, StateTensor> =>
      new Map(
        [...tensors].map(([name, { dtype, shape, data }]) => {
          if (held.has(data.buffer)) return [name, { dtype, shape: [...shape], data }];
          const target = new (data.constructor as SharedArrayOf)(this.buffer, at, data.length);
          target.set(data as never);
          at += aligned(data.byteLength);
          return [name, { dtype, shape: [...shape], data: target }];
        }),
      );
    return { ...snapshot, tensors: { [modelFile]: copied(model), [stateFile]: copied(state) } };
  }
}

type SharedArrayOf = new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => StateArray;

/** Every element type may start at a multiple of 8 bytes. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** The thread of all writers of this process; `none` where its file is not there, as when run from sources or bundled by others. */
let thread: WriterThread | 'none' | undefined;

function startThread(): WriterThread | 'none' {
  try {
    const file = new URL('./snapshot.worker.js', import.meta.url);
    return existsSync(fileURLToPath(file)) ? new WriterThread(file) : 'none';
  } catch {
    return 'none'; // this module has no address of its own, or no more threads can be had
  }
}

class WriterThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { target: string; resolve: () => void; reject: (error: Error) => void }>();
  private requests = 0;

  constructor(file: URL) {
    this.worker = new Worker(file, { name: 'orbit-checkpoint', execArgv: [] });
    this.worker.on('message', ({ id, error }: WriteAnswer) => {
      const request = this.waiting.get(id);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.worker.unref(); // idle, it does not keep the process alive
      if (error === null) request?.resolve();
      else request?.reject(new CheckpointError(error));
    });
    let reason = '';
    this.worker.on('error', (error) => (reason = error.message));
    this.worker.on('exit', (status) => {
      if (thread === this) thread = undefined; // the next save starts another
      for (const { target, reject } of this.waiting.values()) {
        reject(new CheckpointError(`Cannot write the checkpoint "${target}": its thread ended (${reason || `status ${status}`}).`));
      }
      this.waiting.clear();
    });
    this.worker.unref(); // after the listeners: one for messages keeps the process alive again
  }

  write(snapshot: CheckpointSnapshot, target: string, urgent: Int32Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = this.requests++;
      this.waiting.set(id, { target, resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ do: 'write', id, snapshot, target, urgent } satisfies WriteRequest);
    });
  }

  touch(memory: readonly SharedArrayBuffer[]): void {
    this.worker.postMessage({ do: 'touch', memory } satisfies WriteRequest);
  }
}
