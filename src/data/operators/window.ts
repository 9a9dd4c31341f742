import { randomStage } from '../random-access.js';
import { AGAIN, END, loop, restoreCursor, chain, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';
import { group } from './batch.js';

/** The shape of the windows: `size` elements `stride` apart, one window every `shift` elements. */
export interface WindowPlan {
  readonly size: number;
  readonly shift: number;
  readonly stride: number;
  readonly dropRemainder: boolean;
}

/** Lists of neighbouring elements, overlapping where `shift` is less than `size`. */
export function window<T>(source: Stage<T>, plan: WindowPlan): Stage<T[]> {
  const { size, shift, stride, dropRemainder } = plan;
  const operator = `window(${size}, shift ${shift}, stride ${stride}${dropRemainder ? ', drop remainder' : ''})`;
  if (shift === size && stride === 1) return group(source, operator, size, dropRemainder, (elements) => elements, false);
  const label = `${source.label} > ${operator}`;
  const span = (size - 1) * stride + 1;
  const windows = (length: number): number => Math.max(0, Math.ceil((dropRemainder ? length - span + 1 : length) / shift));
  const { random } = source;
  if (random !== undefined) {
    return randomStage(label, {
      length: windows(random.length),
      readAhead: random.readAhead,
      ready: random.ready && (() => random.ready?.()),
      at: (pass, position) => {
        const first = position * shift;
        const count = Math.min(size, Math.ceil((random.length - first) / stride));
        const elements = Array.from({ length: count }, (_, i) => random.at(pass, first + i * stride));
        return elements.some((element) => element instanceof Promise) ? Promise.all(elements) : (elements as T[]);
      },
    });
  }
  return {
    label,
    length: source.length === undefined ? undefined : windows(source.length),
    open: (pass) => new WindowCursor(source.open(pass), plan, span),
  };
}

/** Keeps the elements that later windows share; the saved position is that of the next window's first element. */
class WindowCursor<T> implements Cursor<T[]> {
  readonly #kept: { element: T; before: PositionValue; address: PositionValue | undefined }[] = [];
  #ended = false;
  /** Elements still to be passed over before the next window. */
  #pending = 0;
  #address: PositionValue | undefined;

  constructor(
    readonly source: Cursor<T>,
    readonly plan: WindowPlan,
    readonly span: number,
  ) {}

  pull(): Maybe<T[] | End> {
    const { size, shift, stride, dropRemainder } = this.plan;
    return chain(this.#fill(), () => {
      const members = this.#kept.filter((_, i) => i % stride === 0).slice(0, size);
      if (members.length === 0 || (dropRemainder && members.length < size)) return END;
      const addresses = members.map(({ address }) => address);
      this.#address = addresses.includes(undefined) ? undefined : (addresses as PositionValue[]);
      this.#pending = shift - this.#kept.splice(0, shift).length;
      return members.map(({ element }) => element);
    });
  }

  #fill(): Maybe<void> {
    return loop<void>(() => {
      if (this.#ended || this.#kept.length >= this.span) return undefined;
      const before = this.source.state();
      return chain<T | End, void | typeof AGAIN>(this.source.pull(), (element) => {
        if (element === END) {
          this.#ended = true;
          return undefined;
        }
        if (this.#pending > 0) this.#pending--;
        else this.#kept.push({ element: element as T, before, address: this.source.address() });
        return AGAIN;
      });
    });
  }

  state(): PositionValue {
    return [this.#pending, this.#kept[0]?.before ?? this.source.state()];
  }

  restore(state: PositionValue): Maybe<void> {
    const [pending, source] = state as [number, PositionValue];
    this.#pending = pending;
    return restoreCursor(this.source, source);
  }

  address(): PositionValue | undefined {
    return this.#address;
  }

  fetch(address: PositionValue): Maybe<T[]> {
    const members = address as PositionValue[];
    const elements: T[] = [];
    return loop<T[]>(() => {
      if (elements.length === members.length) return elements;
      return chain(this.source.fetch(members[elements.length]!), (element) => {
        elements.push(element);
        return AGAIN;
      });
    });
  }

  close(): Maybe<void> {
    return this.source.close();
  }
}
