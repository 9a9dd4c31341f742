import { DataError } from '../errors.js';
import { PositionNotes } from './position-notes.js';
import { count } from './random-access.js';
import { chain, END, letGo, restoreCursor, type Cursor, type End, type Maybe, type PositionValue, type Stage } from './stage.js';
import { describe } from './structure.js';

/** A saved position of a {@link DatasetIterator}: plain data that a checkpoint can hold. */
export interface IteratorState {
  readonly [key: string]: PositionValue;
  /** The chain of operators that the position belongs to. */
  readonly pipeline: string;
  /** Number of the walk over the data set. */
  readonly pass: number;
  /** Elements taken so far. */
  readonly taken: number;
  /** Position inside the operators. */
  readonly position: PositionValue;
}

/**
 * One walk over a {@link Dataset}. `next()` waits for the next element; `nextSync()` gives it at once where nothing has to be
 * waited for. The state belongs to the element that was *taken* last: work done ahead never shows in it, nor does an error. After
 * one, files and threads are closed, and `next()` tries again: it opens the data anew and meets the same element.
 */
export class DatasetIterator<T> implements AsyncIterableIterator<T> {
  readonly #stage: Stage<T>;
  #cursor: Cursor<T>;
  #pass: number;
  #taken = 0;
  /** What the next pull waits for: a restore, or an element that `nextSync` started. */
  #restoring: Promise<void> | undefined;
  #started: Promise<IteratorResult<T, undefined>> | undefined;
  #last: Promise<unknown> | undefined;
  #closed = false;
  /** Positions that were reached without an error: where a walk is taken up again after one. */
  #notes = new PositionNotes();
  /** The last pull ended in an error. */
  #failed = false;

  /** Use `dataset.iterator()`. */
  constructor(stage: Stage<T>, pass: number) {
    this.#stage = stage;
    this.#pass = pass;
    this.#cursor = stage.open(pass);
  }

  /** Elements taken so far in this walk, those before a restored position included. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * The next element if it is there without waiting, else undefined; then `next()` waits for that same element.
   * A training loop calls this first and `await`s only when it must.
   */
  nextSync(): IteratorResult<T, undefined> | undefined {
    if (this.#started !== undefined || this.#last !== undefined || this.#restoring !== undefined) return undefined;
    const pulled = this.#anew();
    if (!(pulled instanceof Promise)) return this.#result(pulled);
    this.#started = this.#track(pulled);
    this.#started.catch(() => undefined); // seen by next()
    return undefined;
  }

  /** The next element. Calls made before an earlier one answered are answered in order. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#started !== undefined) {
      const started = this.#started;
      this.#started = undefined;
      return started;
    }
    if (this.#last !== undefined) return this.#track(this.#last.then(() => this.#anew()));
    try {
      const pulled = this.#anew();
      return pulled instanceof Promise ? this.#track(pulled) : Promise.resolve(this.#result(pulled));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** The next element, of data opened anew where an error ended the last pull. */
  #anew(): Maybe<T | End> {
    if (this.#failed && !this.#closed) this.#goTo(this.#state());
    return this.#restoring === undefined ? this.#pull() : this.#restoring.then(() => this.#pull());
  }

  #pull(): Maybe<T | End> {
    if (this.#closed) return END;
    try {
      this.#notes.consider(this.#taken, this.#cursor);
      const pulled = chain(this.#cursor.pull(), (element): Maybe<T | End> => (element === END ? this.#end() : element));
      return pulled instanceof Promise ? pulled.catch((error: unknown) => this.#fail(error)) : pulled;
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** Closes everything: `for await` does not call `return()` after an error, and files and threads must not stay open. */
  #fail(error: unknown): Maybe<never> {
    this.#failed = true;
    const raise = (): never => {
      throw error;
    };
    try {
      const closing = this.#cursor.close();
      return closing instanceof Promise ? closing.then(raise, raise) : raise();
    } catch {
      return raise();
    }
  }

  /** Files are closed at the end of the data, not when the garbage collector comes by. */
  #end(): Maybe<End> {
    this.#closed = true;
    return chain(this.#cursor.close(), () => END);
  }

  #result(pulled: T | End): IteratorResult<T, undefined> {
    if (pulled === END) return { done: true, value: undefined };
    this.#taken++;
    return { done: false, value: pulled as T };
  }

  #track(pulled: Promise<T | End>): Promise<IteratorResult<T, undefined>> {
    const result = pulled.then((value) => this.#result(value));
    const settled = (): void => {
      if (this.#last === last) this.#last = undefined;
    };
    const last: Promise<void> = result.then(settled, settled);
    this.#last = last;
    return result;
  }

  /**
   * Says that nobody uses an element of this iterator any more (nor its arrays or views of them), so that its memory may serve
   * for a later one. Optional; where memory is not reused it does nothing.
   */
  release(element: T): void {
    this.#cursor.release?.(element);
  }

  /** The position after the last taken element, also after an error. Throws a {@link DataError} while an element is awaited. */
  stateDict(): IteratorState {
    if (this.#last !== undefined || this.#started !== undefined) {
      throw new DataError('The data position was asked for while next() has not answered yet; await it first.');
    }
    return this.#state();
  }

  #state(): IteratorState {
    return { pipeline: this.#stage.label, pass: this.#pass, taken: this.#taken, position: this.#position() };
  }

  #position(): PositionValue {
    if (this.#restored !== undefined) return this.#restored;
    return this.#failed ? this.#notes.position(this.#taken) : this.#cursor.state();
  }

  /** The position that is being restored, as long as nothing was pulled from it. */
  #restored: PositionValue | undefined;

  /**
   * Goes to a saved position. The state must come from a data set with the same operators, sizes and seeds (prefetching may
   * differ); else a {@link DataError}. What must be read again is read before the next element; an error there comes from `next()`.
   */
  loadStateDict(state: { readonly [key: string]: unknown }): void {
    if (typeof state !== 'object' || state === null) throw new DataError(`${describe(state)} was given as a data position.`);
    const { pipeline, pass, taken, position } = state as unknown as Partial<IteratorState>;
    if (pipeline !== this.#stage.label) {
      throw new DataError(
        `The saved data position belongs to another pipeline.\n  saved: ${String(pipeline)}\n  now:   ${this.#stage.label}\n` +
          'Use the data settings of the saved run, or start the data from the beginning: trainer.resume_data=restart.',
      );
    }
    if (this.#last !== undefined)
      throw new DataError('A data position cannot be loaded while next() has not answered yet; await it first.');
    this.#goTo({ pass: count(pass, 'pass'), taken: count(taken, 'count of elements'), position: position as PositionValue });
  }

  #goTo({ pass, taken, position }: Pick<IteratorState, 'pass' | 'taken' | 'position'>): void {
    const cursor = this.#stage.open(pass);
    let restoring: Maybe<void>;
    try {
      restoring = restoreCursor(cursor, position);
    } catch (error) {
      letGo(cursor);
      throw error;
    }
    letGo(this.#cursor, this.#restoring);
    this.#cursor = cursor;
    this.#pass = pass;
    this.#taken = taken;
    this.#started = undefined;
    this.#closed = this.#failed = false;
    this.#notes = new PositionNotes();
    this.#restored = this.#restoring = undefined;
    if (restoring === undefined) return;
    this.#restored = position;
    const done = restoring.then(
      () => {
        if (this.#restoring === done) this.#restoring = this.#restored = undefined;
      },
      (error: unknown) => {
        letGo(cursor);
        if (this.#restoring === done) {
          this.#restoring = undefined;
          this.#failed = true;
        }
        throw error;
      },
    );
    done.catch(() => undefined); // seen by next()
    this.#restoring = done;
  }

  /** Releases files and workers and ends the walk. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#closed = true;
    await this.#last?.catch(() => undefined);
    await this.#restoring?.catch(() => undefined);
    await this.#cursor.close();
    return { done: true, value: undefined };
  }

  /** The iterator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}
