import { count, list, randomStage } from '../random-access.js';
import {
  chain,
  derived,
  endlessRound,
  fetchAll,
  locate,
  onElement,
  restoreCursor,
  skipElements,
  type Cursor,
  type ElementNumber,
  type Part,
  type PositionValue,
  type Stage,
} from '../stage.js';

/** An element with its number: what is reordered between a source and functions in workers. */
class Numbered {
  constructor(
    readonly number: ElementNumber,
    readonly element: unknown,
  ) {}
}

/** The element itself. */
export function bare(element: unknown): unknown {
  return element instanceof Numbered ? element.element : element;
}

/** The number that an element carries, or that its source knows of its address. */
export function numberOf(element: unknown, source: Cursor<unknown>, address: PositionValue | undefined): ElementNumber | undefined {
  if (element instanceof Numbered) return element.number;
  return address === undefined ? undefined : source.number?.(address);
}

const whole: Part = { index: 0, of: 1 };

/** The number of the k-th element of a pass, counted over all parts. */
export function numberIn(part: Part = whole, pass: number, k: number): ElementNumber {
  return { pass, index: part.index + part.of * k };
}

/**
 * Gives the elements their numbers, which they keep when they are put into another order: what can be read by position tells a
 * number for each position, other sources give {@link Numbered}s.
 */
export function numbered(source: Stage<unknown>): Stage<unknown> {
  const { random, part } = source;
  if (random !== undefined) {
    const { cycle } = random;
    const inCycle = (inner: number, position: number): ElementNumber => {
      const { pass, k } = endlessRound(inner);
      return numberIn(part, pass, k * cycle!.length + position);
    };
    const counted = {
      ...random,
      number: (pass: number, position: number) => numberIn(part, pass, position),
      cycle: cycle && { ...cycle, number: inCycle },
    };
    return derived(source, randomStage(source.label, counted));
  }
  return { ...source, open: (pass) => numberedCursor(source.open(pass), part, pass) };
}

function numberedCursor(source: Cursor<unknown>, part: Part | undefined, pass: number): Cursor<unknown> {
  let next = 0;
  const numberedAt = (k: number, element: unknown): Numbered => new Numbered(numberIn(part, pass, k), element);
  const split = (address: PositionValue): [number, PositionValue] => {
    const [k, inner] = list(address, 'numbered element');
    return [count(k, 'number of an element'), inner!];
  };
  return {
    pull: () => onElement(source.pull(), (element) => numberedAt(next++, element)),
    state: () => [next, source.state()],
    restore: (state) => {
      const [k, inner] = split(state);
      next = k;
      return restoreCursor(source, inner);
    },
    address: () => {
      const inner = source.address();
      return inner === undefined ? undefined : [next - 1, inner];
    },
    fetch: (address) => {
      const [k, inner] = split(address);
      return chain(source.fetch(inner), (element) => numberedAt(k, element));
    },
    fetchAll: (addresses) => {
      const pairs = addresses.map(split);
      return chain(
        fetchAll(
          source,
          pairs.map(([, inner]) => inner),
        ),
        (elements) => elements.map((element, i) => numberedAt(pairs[i]![0], element)),
      );
    },
    skip: (elements) => {
      next += elements;
      return skipElements(source, elements);
    },
    locate: (address) => locate(source, split(address)[1]),
    close: () => source.close(),
  };
}
