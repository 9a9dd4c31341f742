import { CacheReader, CacheWriter } from '../cache-file.js';
import { count, list } from '../random-access.js';
import { laterOpener } from './exact.js';
import { chain, END, forEachIndex, restoreCursor, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';

/**
 * Keeps the elements of the first whole pass in a file; later passes, and later runs, read them from there. The file comes into
 * being at the end of that pass; until then a position is the source's own.
 */
export function fileCache<T>(source: Stage<T>, path: string): Stage<T> {
  const label = `${source.label} > cache(file)`;
  const shared: Shared = { path, pipeline: source.label, reader: undefined, writing: false };
  return { label, length: source.length, open: () => new FileCacheCursor(source, shared) };
}

/** What the cursors of a cache share. */
interface Shared {
  readonly path: string;
  readonly pipeline: string;
  reader: CacheReader | undefined;
  /** One cursor writes at a time; others meanwhile read the source. */
  writing: boolean;
}

class FileCacheCursor<T> implements Cursor<T> {
  #position = 0;
  #reader: CacheReader | undefined;
  #source: Cursor<T> | undefined;
  #writer: CacheWriter | undefined;
  #started = false;
  readonly #open = laterOpener();

  constructor(
    readonly source: Stage<T>,
    readonly shared: Shared,
  ) {}

  /** Decides at the first use whether to read the file or the source. */
  #start(): void {
    if (this.#started) return;
    this.#started = true;
    const { shared } = this;
    this.#reader = shared.reader ??= CacheReader.open(shared.path, shared.pipeline);
    if (this.#reader !== undefined || this.#position > 0 || shared.writing) return;
    shared.writing = true;
    this.#writer = new CacheWriter(shared.path, shared.pipeline);
  }

  #from(): Cursor<T> {
    return (this.#source ??= this.#open(this.source, 0)); // always the first pass: what is cached is the same in every run
  }

  pull(): Maybe<T | End> {
    this.#start();
    const reader = this.#reader;
    if (reader !== undefined) return this.#position < reader.length ? (reader.at(this.#position++) as T) : END;
    return chain(this.#from().pull(), (element) => {
      if (element === END) {
        this.#finish();
        return END;
      }
      this.#writer?.add(element);
      this.#position++;
      return element;
    });
  }

  #finish(): void {
    if (this.#writer === undefined) return;
    this.#writer.finish();
    this.#writer = undefined;
    this.shared.writing = false;
  }

  state(): PositionValue {
    if (this.#position === 0) return 0;
    return this.#source === undefined ? this.#position : [this.#position, this.#source.state()];
  }

  restore(state: PositionValue): Maybe<void> {
    const [position, source] = typeof state === 'number' ? [state] : list(state, 'cache position');
    this.#position = count(position, 'cache position');
    if (this.#position === 0) return;
    this.#start();
    if (this.#reader !== undefined) return;
    if (source !== undefined) return restoreCursor(this.#from(), source);
    throw this.#gone();
  }

  #gone(): Error {
    return CacheReader.missing(this.shared.path);
  }

  address(): PositionValue | undefined {
    if (this.#source === undefined) return this.#position - 1;
    const inner = this.#source.address();
    return inner === undefined ? undefined : [inner];
  }

  fetch(address: PositionValue): Maybe<T> {
    if (typeof address !== 'number') return this.#from().fetch(list(address, 'cache position')[0]!);
    const { shared } = this;
    const reader = (shared.reader ??= CacheReader.open(shared.path, shared.pipeline));
    if (reader === undefined) throw this.#gone();
    return reader.at(count(address, 'cache position')) as T;
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<T[]> {
    const order = Array.from(addresses.keys()).sort((a, b) => Number(addresses[a]) - Number(addresses[b]));
    const elements = new Array<T>(addresses.length);
    const visit = (i: number): Maybe<void> => chain(this.fetch(addresses[order[i]!]!), (element) => void (elements[order[i]!] = element));
    return chain(forEachIndex(order.length, visit), () => elements);
  }

  close(): Maybe<void> {
    if (this.#writer !== undefined) {
      this.#writer.abandon();
      this.#writer = undefined;
      this.shared.writing = false;
    }
    return this.#source?.close();
  }
}
