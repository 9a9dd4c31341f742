import { availableParallelism } from 'node:os';

import type { OrbitError } from '../../errors.js';
import type { ElementNumber, Maybe } from '../stage.js';
import { copiesOf, decode, encode, viewsOf } from './codec.js';
import { pack, unpack, type Elements } from './elements.js';
import { flatNumbers, type JobAnswer } from './messages.js';
import type { PlacedFunction } from './named-function.js';
import { blame, ElementFailure, loadFunctions, runJob, type LoadedFunction } from './run-job.js';
import { SharedSlots } from './slots.js';
import { whenStuck } from './stuck.js';
import { revived, WorkerThread } from './worker-thread.js';

/** Workers by default: the training step wants a processor as well. */
export const defaultWorkers = Math.min(8, Math.max(1, availableParallelism() - 1));

/** Elements to work on together. */
export interface Job {
  /** What the functions are told of every element. */
  readonly numbers: readonly ElementNumber[];
  readonly elements: Elements;
  /** Whether the results become one batch; else they are a list. */
  readonly join: boolean;
}

/** Work that was handed in. */
export interface Ticket {
  /** The result; a promise as long as it is not there. Throws an {@link ElementFailure} for an error of a function. */
  take(): Maybe<unknown>;
}

/** Where jobs are done. */
export interface Pool {
  /** How many elements to hand in together where they are not made into a batch. */
  readonly jobElements: number;
  /** Whether a thread has ended, or could not start: no more jobs will be done. */
  readonly failed: boolean;
  /** Hands in a job. */
  post(job: Job): Ticket;
  /** Takes back a batch, so that its memory may serve for a later one. */
  release(batch: unknown): void;
  /** Ends the threads; jobs that are not done never will be. */
  close(): Maybe<void>;
}

/** Functions and how to run them. */
export interface PoolPlan {
  readonly functions: readonly PlacedFunction[];
  readonly workers: number;
  readonly heapMegabytes?: number;
  /** Seconds that a call may take. */
  readonly timeoutSeconds: number;
}

/** Makes the pool of a plan. */
export function makePool(plan: PoolPlan): Pool {
  return plan.workers === 0 ? new InlinePool(plan) : new ThreadPool(plan);
}

/** Small elements go to a worker together, as long as that is no more than this. */
const JOB_ELEMENTS = 16;
const JOB_BYTES = 2 ** 20;

/** Does the jobs in this thread, in the form in which a worker would: functions get copies, as there. */
class InlinePool implements Pool {
  readonly jobElements = 1;
  readonly failed = false;
  #functions: readonly LoadedFunction[] | undefined;
  #loading: Promise<readonly LoadedFunction[]> | undefined;

  constructor(readonly plan: PoolPlan) {}

  post({ elements, numbers, join }: Job): Ticket {
    const run = (functions: readonly LoadedFunction[]): Maybe<unknown> => {
      const { text, size, write, rows } = pack(elements);
      const bytes = new ArrayBuffer(size);
      write(new Uint8Array(bytes));
      const done = runJob(functions, unpack(text, bytes, rows), { number: (element) => numbers[element]!, join });
      return done instanceof Promise ? done.then(copied) : copied(done);
    };
    return {
      take: () => {
        if (this.#functions !== undefined) return run(this.#functions);
        this.#loading ??= loadFunctions(this.plan.functions);
        return this.#loading.then((functions) => run((this.#functions = functions)));
      },
    };
  }

  release(): void {}

  close(): void {}
}

function copied(value: unknown): unknown {
  try {
    const { text, size, write } = encode(value);
    const bytes = new ArrayBuffer(size);
    write(new Uint8Array(bytes));
    return decode(text, viewsOf(bytes));
  } catch (error) {
    throw blame(value, error);
  }
}

interface Waiting {
  readonly id: number;
  readonly join: boolean;
  /** Elements of the job. */
  readonly count: number;
  thread: WorkerThread | undefined;
  /** Shared memory that went with the job. */
  slot: SharedArrayBuffer | undefined;
  answer: JobAnswer | undefined;
  /** Why there will be no answer. */
  failure: Error | undefined;
  wake: (() => void) | undefined;
}

/** Does the jobs in worker threads. They begin with the first job. */
class ThreadPool implements Pool {
  readonly #threads: WorkerThread[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #slots = new SharedSlots();
  #failure: OrbitError | undefined;
  #closed = false;
  #jobs = 0;
  /** Tickets that somebody waits for: only then the threads keep the process alive. */
  #waiters = 0;
  /** Bytes of the largest element or result so far. */
  #elementBytes = 1;

  constructor(readonly plan: PoolPlan) {}

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get jobElements(): number {
    return Math.max(1, Math.min(JOB_ELEMENTS, Math.floor(JOB_BYTES / this.#elementBytes)));
  }

  post({ elements, join, numbers }: Job): Ticket {
    const { text, size, write, rows } = pack(elements);
    // Moved, not shared: many functions of the platform refuse shared memory. And not zeroed: all of it is written.
    const { buffer: bytes } = Buffer.allocUnsafeSlow(size);
    write(new Uint8Array(bytes));
    const id = this.#jobs++;
    const slot = this.#slots.take();
    const count = 'batch' in elements ? elements.count : elements.list.length;
    this.#measure(size, count);
    const waiting: Waiting = { id, join, count, slot, thread: undefined, answer: undefined, failure: this.#failure, wake: undefined };
    this.#waiting.set(id, waiting);
    if (this.#failure === undefined) {
      waiting.thread = this.#thread();
      waiting.thread.post({ numbers: flatNumbers(numbers), id, text, bytes, rows, join, slot });
    }
    return { take: () => this.#take(waiting) };
  }

  #measure(bytes: number, elements: number): void {
    this.#elementBytes = Math.max(this.#elementBytes, bytes / Math.max(1, elements));
  }

  /** The thread with the fewest jobs. */
  #thread(): WorkerThread {
    while (this.#threads.length < this.plan.workers) {
      const thread: WorkerThread = new WorkerThread(
        this.plan,
        (answer) => this.#answered(answer),
        (error) => this.#fail(error, thread),
      );
      this.#threads.push(thread);
    }
    return this.#threads.reduce((best, thread) => (thread.jobs.size < best.jobs.size ? thread : best));
  }

  #answered(answer: JobAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    waiting.answer = answer;
    waiting.wake?.();
  }

  /** A thread is lost, and what it had to do; others still answer, so that the error comes where the data have come to it. */
  #fail(error: OrbitError, thread: WorkerThread): void {
    this.#failure ??= error;
    const { begun, job, element } = thread.progress;
    for (const waiting of this.#waiting.values()) {
      if (waiting.thread !== thread) continue;
      const wasAtWork = begun > 0 && waiting.id === job;
      waiting.failure = wasAtWork ? new ElementFailure(element, new Error(error.message, { cause: error.cause })) : error;
      waiting.wake?.();
    }
  }

  #take(waiting: Waiting): Maybe<unknown> {
    for (const thread of this.#threads) thread.receive();
    if (waiting.answer !== undefined) return this.#open(waiting.answer, waiting);
    if (waiting.failure !== undefined) throw waiting.failure;
    return this.#wait(waiting).then(() => {
      if (waiting.answer !== undefined) return this.#open(waiting.answer, waiting);
      throw waiting.failure ?? new Error('the worker threads were closed');
    });
  }

  async #wait(waiting: Waiting): Promise<void> {
    if (this.#waiters++ === 0) this.#threads.forEach((thread) => thread.ref(true));
    let unwatch = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiting.wake = resolve;
        if (this.#closed) resolve();
        else if (waiting.thread !== undefined) unwatch = whenStuck(waiting.thread, waiting.id, this.plan.timeoutSeconds, reject);
      });
    } finally {
      unwatch();
      if (--this.#waiters === 0) this.#threads.forEach((thread) => thread.ref(false));
    }
  }

  #open(answer: JobAnswer, { join, slot, count }: Waiting): unknown {
    if ('error' in answer) throw new ElementFailure(answer.element, revived(answer.error));
    const { text, memory = slot! } = answer;
    this.#measure(memory.byteLength, count);
    // A batch stays where it lies, and the compiled step reads it there; where nobody gives batches back it is copied.
    if (join && this.#slots.lend(memory)) return this.#slots.remember(decode(text, this.#slots.arrays(memory)), memory);
    const value = decode(text, copiesOf(memory));
    this.#slots.put(memory);
    return value;
  }

  release(batch: unknown): void {
    this.#slots.giveBack(batch);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { wake } of this.#waiting.values()) wake?.();
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}
