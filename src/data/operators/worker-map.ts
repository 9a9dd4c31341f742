import { failAt } from '../failure.js';
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
  type End,
  type Maybe,
  type PositionValue,
  type Stage,
} from '../stage.js';
import { ElementFailure, makePool, type Pool, type PoolPlan, type Ticket } from '../workers/index.js';

/** Elements that go to a worker together, where they are not made into batches there. */
const JOB_ELEMENTS = 16;

/** How the results of jobs become elements. */
interface Shape {
  /** Elements of the source in a job. */
  readonly size: number;
  /** Whether a job's results become one batch. */
  readonly join: boolean;
  /** Whether a last job that is not full is left out. */
  readonly dropRemainder: boolean;
}

/** Applies functions to every element in worker threads. The order stays; at most two jobs a worker are under way. */
export function workerMap<A, B>(source: Stage<A>, plan: PoolPlan): Stage<B> {
  const together = source.work?.append(plan);
  if (together !== undefined) return together as Stage<B>;
  const names = plan.functions.map(({ exportName }) => exportName).join(', ');
  const label = `${source.label} > map in worker(${names}, seed ${plan.seed})`;
  return {
    label,
    length: source.length,
    addressable: source.addressable,
    open: opener<B>(source, plan, { size: JOB_ELEMENTS, join: false, dropRemainder: false }),
    work: {
      over: (change) => workerMap(change(source), plan),
      append: ({ functions, seed, workers }) => {
        if (seed !== plan.seed || workers !== plan.workers) return undefined;
        return workerMap(source, { ...plan, functions: [...plan.functions, ...functions] });
      },
      batch: (size, dropRemainder) => ({
        label: `${label} > batch(${size}${dropRemainder ? ', drop remainder' : ''})`,
        length: source.length && (dropRemainder ? Math.floor : Math.ceil)(source.length / size),
        addressable: source.addressable,
        open: opener<unknown>(source, plan, { size, join: true, dropRemainder }),
      }),
    },
  };
}

/** Opens cursors over one pool, which ends with the last of them. */
function opener<B>(source: Stage<unknown>, plan: PoolPlan, shape: Shape): (pass: number) => Cursor<B> {
  let pool: Pool | undefined;
  let users = 0;
  const use = (): Pool => (pool ??= makePool(plan));
  const leave = (): Maybe<void> => {
    if (--users > 0) return;
    const old = pool;
    pool = undefined;
    return old?.close();
  };
  return (pass) => {
    users++;
    return new WorkerCursor<B>(source.open(pass), pass, plan, shape, use, leave);
  };
}

/** Elements at the workers, and where the source stood before them. */
interface Started {
  readonly first: number;
  readonly before: PositionValue;
  readonly addresses: (PositionValue | undefined)[];
  readonly elements: unknown[];
}
type Posted = Omit<Started, 'elements'> & { readonly ticket: Ticket };

class WorkerCursor<B> implements Cursor<B> {
  readonly #jobs: Posted[] = [];
  /** Next element of the source, by its number in the pass. */
  #index = 0;
  /** A job whose elements are being waited for. */
  #gathering: { readonly started: Started; readonly done: Promise<void> } | undefined;
  #sourceError: { readonly error: unknown } | undefined;
  #ended = false;
  /** Results of a job that are given one by one. */
  #current: { readonly job: Posted; readonly results: readonly unknown[]; given: number } | undefined;
  #address: PositionValue | undefined;
  #closed = false;

  constructor(
    readonly source: Cursor<unknown>,
    readonly pass: number,
    readonly plan: PoolPlan,
    readonly shape: Shape,
    readonly pool: () => Pool,
    readonly leave: () => Maybe<void>,
  ) {}

  pull(): Maybe<B | End> {
    return loop<B | End>(() => {
      this.#fill();
      const current = this.#current;
      if (current !== undefined && current.given < current.results.length) {
        const address = current.job.addresses[current.given];
        this.#address = address === undefined ? undefined : [current.job.first + current.given, address];
        return current.results[current.given++] as B;
      }
      this.#current = undefined;
      const job = this.#jobs[0];
      if (job === undefined) {
        if (this.#gathering !== undefined) return this.#gathering.done.then(() => AGAIN);
        if (this.#sourceError !== undefined) throw this.#sourceError.error;
        return END;
      }
      return chain(this.#result(job), (result) => {
        this.#jobs.shift();
        if (!this.shape.join) {
          this.#current = { job, results: result as unknown[], given: 0 };
          return AGAIN;
        }
        this.#address = job.addresses.includes(undefined) ? undefined : [job.first, job.addresses as PositionValue[]];
        this.#fill(); // the workers go on while the batch is used
        return result as B;
      });
    });
  }

  /** Hands in jobs up to the limit, as far as the source can be read without waiting. */
  #fill(): void {
    const limit = Math.max(1, 2 * this.plan.workers);
    while (this.#jobs.length < limit && this.#gathering === undefined && !this.#ended && this.#sourceError === undefined && !this.#closed) {
      const started: Started = { first: this.#index, before: this.source.state(), addresses: [], elements: [] };
      let gathered: Maybe<void>;
      try {
        gathered = chain(this.#gather(started), () => this.#post(started));
      } catch (error) {
        this.#sourceError = { error };
        return;
      }
      if (!(gathered instanceof Promise)) continue;
      const settled = (): void => {
        this.#gathering = undefined;
      };
      const done = gathered.then(settled, (error: unknown) => {
        settled();
        this.#sourceError = { error };
      });
      this.#gathering = { started, done: done.then(() => this.#fill()) };
    }
  }

  #gather({ elements, addresses }: Started): Maybe<void> {
    return loop<void>(() => {
      if (elements.length === this.shape.size) return undefined;
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
  }

  #post({ elements, ...started }: Started): void {
    const { size, join, dropRemainder } = this.shape;
    if (this.#closed || elements.length === 0 || (dropRemainder && elements.length < size)) return;
    const ticket = this.pool().post({ pass: this.pass, first: started.first, elements, join });
    this.#index += elements.length;
    this.#jobs.push({ ...started, ticket });
  }

  #result({ ticket, addresses }: Pick<Posted, 'ticket' | 'addresses'>): Maybe<unknown> {
    const failed = (error: unknown): Maybe<never> => {
      if (!(error instanceof ElementFailure)) throw error;
      const operator = this.plan.functions.map(({ module, exportName }) => `map (${exportName} of ${module}, in a worker)`).join(', then ');
      if (error.element !== undefined) return failAt(operator, this.source, addresses[error.element], error.cause);
      throw error.cause;
    };
    try {
      const result = ticket.take();
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  }

  state(): PositionValue {
    const { job, given } = this.#current ?? { job: undefined, given: 0 };
    if (job !== undefined && given < job.addresses.length) return [job.first + given, job.before, given];
    const next = this.#jobs[0] ?? this.#gathering?.started;
    return next === undefined ? [this.#index, this.source.state(), 0] : [next.first, next.before, 0];
  }

  restore(state: PositionValue): Maybe<void> {
    const [index, before, skipped] = list(state, 'position of a map in workers');
    this.#index = count(index, 'count of elements');
    return chain(restoreCursor(this.source, before!), () => skipElements(this.source, count(skipped, 'count of elements in a job')));
  }

  skip(elements: number): Maybe<void> {
    if (this.#jobs.length > 0 || this.#current !== undefined || this.#gathering !== undefined) {
      return forEachIndex(elements, () => chain(this.pull(), () => undefined));
    }
    const skipped = elements * (this.shape.join ? this.shape.size : 1);
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
        const [first, inner] = list(addresses[i], 'address in a map in workers');
        const members = this.shape.join ? list(inner, 'address of a batch') : [inner!];
        return chain(fetchAll(this.source, members), (elements) => {
          const job = { pass: this.pass, first: count(first, 'count of elements'), elements, join: this.shape.join };
          return chain(this.#result({ ticket: this.pool().post(job), addresses: [...members] }), (result) => {
            results.push((this.shape.join ? result : (result as unknown[])[0]) as B);
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
