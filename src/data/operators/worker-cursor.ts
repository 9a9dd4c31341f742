import { noBatch } from './no-batch.js';
import { count, list } from '../random-access.js';
import {
  AGAIN,
  chain,
  END,
  fetchAll,
  forEachIndex,
  locate,
  loop,
  restoreCursor,
  skipElements,
  type Cursor,
  type ElementNumber,
  type End,
  type Maybe,
  type PositionValue,
} from '../stage.js';
import type { Elements, Pool, PoolPlan } from '../workers/index.js';
import { bare, numberOf } from './numbered.js';
import { jobFailed, type Current, type JobShape, type Posted, type Started } from './worker-jobs.js';

/** One walk over the results of functions in workers; at most two jobs a worker are under way. */
export class WorkerCursor<B> implements Cursor<B> {
  readonly #jobs: Posted[] = [];
  /** Results of the next element to leave out. */
  #given = 0;
  /** Next element of the source, by its number in the pass. */
  #index = 0;
  /** A job whose elements are being waited for. */
  #gathering: { readonly started: Started; readonly done: Promise<void> } | undefined;
  /** Why no more elements can be read, and where the source stood before that. */
  #sourceError: { readonly error: unknown; readonly started: Started } | undefined;
  #ended = false;
  #current: Current | undefined;
  #address: PositionValue | undefined;
  #closed = false;

  constructor(
    readonly source: Cursor<unknown>,
    /** The number of the k-th element, where the elements carry none. */
    readonly counted: (k: number) => ElementNumber,
    readonly plan: PoolPlan,
    readonly shape: JobShape,
    readonly pool: () => Pool,
    readonly leave: () => Maybe<void>,
  ) {}

  pull(): Maybe<B | End> {
    return loop<B | End>(() => {
      this.#fill();
      const given = this.#next();
      if (given !== AGAIN) return given;
      const job = this.#jobs[0];
      if (job === undefined) {
        if (this.#gathering !== undefined) return this.#gathering.done.then(() => AGAIN);
        if (this.#sourceError !== undefined) throw this.#sourceError.error;
        return END;
      }
      return chain(this.#result(job), (result) => {
        this.#jobs.shift();
        if (!this.shape.join) {
          this.#current = { job, results: result as unknown[], element: 0, given: job.given };
          return AGAIN;
        }
        this.#address = job.addresses.includes(undefined) ? undefined : [job.first, job.addresses as PositionValue[]];
        this.#fill(); // the workers go on while the batch is used
        return result as B;
      });
    });
  }

  /** The next result at hand. */
  #next(): B | typeof AGAIN {
    const current = this.#current;
    if (current === undefined) return AGAIN;
    const { job, results } = current;
    while (current.element < results.length) {
      const { element, given } = current;
      const result = results[element];
      if (!this.shape.expand || given >= (result as unknown[]).length) {
        current.element++;
        current.given = 0;
        if (this.shape.expand) continue;
      } else current.given++;
      const address = job.addresses[element];
      const place: PositionValue[] = this.shape.expand ? [job.first + element, address!, given] : [job.first + element, address!];
      this.#address = address === undefined ? undefined : place;
      return (this.shape.expand ? (result as unknown[])[given] : result) as B;
    }
    this.#current = undefined;
    return AGAIN;
  }

  /** Hands in jobs up to the limit, as far as the source can be read without waiting. */
  #fill(): void {
    const limit = Math.max(1, 2 * this.plan.workers);
    while (this.#jobs.length < limit && this.#gathering === undefined && !this.#ended && this.#sourceError === undefined && !this.#closed) {
      const started: Started = { first: this.#index, before: this.source.state(), given: this.#given, addresses: [] };
      this.#given = 0;
      let gathered: Maybe<void>;
      try {
        gathered = this.#gather(started);
      } catch (error) {
        this.#sourceError = { error, started };
        return;
      }
      if (!(gathered instanceof Promise)) continue;
      const settled = (): void => {
        this.#gathering = undefined;
      };
      const done = gathered.then(settled, (error: unknown) => {
        settled();
        this.#sourceError = { error, started };
      });
      this.#gathering = { started, done: done.then(() => this.#fill()) };
    }
  }

  /** Reads the elements of a job and hands them in: as rows of one batch where the source has them so. */
  #gather(started: Started): Maybe<void> {
    const size = this.shape.size ?? this.pool().jobElements;
    if (this.source.pullRows !== undefined) {
      return chain(this.source.pullRows(size), (pulled) => {
        this.#ended = pulled === END || pulled.count < size;
        if (pulled === END) return;
        started.addresses = pulled.addresses;
        this.#post(started, pulled, this.#numbers(undefined, pulled.addresses, started.first), size);
        pulled.release();
      });
    }
    const elements: unknown[] = [];
    const addresses: (PositionValue | undefined)[] = [];
    started.addresses = addresses;
    const pulled = loop<void>(() => {
      if (elements.length === size) return undefined;
      return chain<unknown, void | typeof AGAIN>(this.source.pull(), (element) => {
        if (element === END) {
          this.#ended = true;
          return undefined;
        }
        elements.push(element);
        addresses.push(this.source.address());
        return AGAIN;
      });
    });
    return chain(pulled, () => this.#post(started, { list: elements.map(bare) }, this.#numbers(elements, addresses, started.first), size));
  }

  #numbers(elements: readonly unknown[] | undefined, addresses: Started['addresses'], first: number): readonly ElementNumber[] {
    return addresses.map((address, i) => numberOf(elements?.[i], this.source, address) ?? this.counted(first + i));
  }

  #post(started: Started, elements: Elements, numbers: readonly ElementNumber[], size: number): void {
    const { join, dropRemainder, needsOne } = this.shape;
    const { length } = started.addresses;
    if (this.#closed || length === 0) return;
    if (dropRemainder && length < size) {
      if (needsOne && this.#index === 0) throw noBatch(`batch(${size}, drop remainder)`, `one batch of ${size}`, length);
      return;
    }
    const ticket = this.pool().post({ numbers, elements, join });
    this.#index += length;
    this.#jobs.push({ ...started, ticket });
  }

  #result({ ticket, addresses }: Pick<Posted, 'ticket' | 'addresses'>): Maybe<unknown> {
    const failed = (error: unknown): Maybe<never> => jobFailed(this.plan.functions, this.source, addresses, error);
    try {
      const result = ticket.take();
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  }

  /** `[number of the next element, position of the source, elements to pass over there, results of that element given before]`. */
  state(): PositionValue {
    const current = this.#current;
    if (current !== undefined && current.element < current.results.length) {
      const { job, element, given } = current;
      return [job.first + element, job.before, element, given];
    }
    const next = this.#jobs[0] ?? this.#gathering?.started ?? this.#sourceError?.started;
    return next === undefined ? [this.#index, this.source.state(), 0, this.#given] : [next.first, next.before, 0, next.given];
  }

  restore(state: PositionValue): Maybe<void> {
    const [index, before, skipped, given] = list(state, 'position of functions in workers');
    this.#index = count(index, 'count of elements');
    this.#given = count(given, 'count of results');
    return chain(restoreCursor(this.source, before!), () => skipElements(this.source, count(skipped, 'count of elements in a job')));
  }

  skip(elements: number): Maybe<void> {
    if (this.shape.expand || this.#jobs.length > 0 || this.#current !== undefined || this.#gathering !== undefined) {
      return forEachIndex(elements, () => chain(this.pull(), () => undefined));
    }
    const skipped = elements * (this.shape.size ?? 1);
    this.#index += skipped;
    return skipElements(this.source, skipped);
  }

  address(): PositionValue | undefined {
    return this.#address;
  }

  fetch(address: PositionValue): Maybe<B> {
    return chain(this.fetchAll([address]), ([element]) => element as B);
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<B[]> {
    const results: B[] = [];
    return chain(
      forEachIndex(addresses.length, (i) => {
        const [first, inner, part] = list(addresses[i], 'address in a map in workers');
        const members = this.shape.join ? list(inner, 'address of a batch') : [inner!];
        return chain(fetchAll(this.source, members), (elements) => {
          const numbers = this.#numbers(elements, members, count(first, 'count of elements'));
          const job = { numbers, elements: { list: elements.map(bare) }, join: this.shape.join };
          return chain(this.#result({ ticket: this.pool().post(job), addresses: [...members] }), (result) => {
            const made = this.shape.join ? result : (result as unknown[])[0];
            results.push((this.shape.expand ? (made as unknown[])[count(part, 'count of results')] : made) as B);
          });
        });
      }),
      () => results,
    );
  }

  locate(address: PositionValue): Maybe<string | undefined> {
    const [, inner] = list(address, 'address in a map in workers');
    return this.shape.join ? undefined : locate(this.source, inner);
  }

  release(element: B): void {
    this.pool().release(element);
  }

  close(): Maybe<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#jobs.length = 0;
    return chain(this.#gathering?.done, () => chain(this.source.close(), () => this.leave()));
  }
}
