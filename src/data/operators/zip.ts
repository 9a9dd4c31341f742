import { list, randomStage } from '../random-access.js';
import { END, forEachIndex, restoreCursor, chain, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';

/** Pairs the elements of several stages; ends with the shortest. */
export function zip(sources: readonly Stage<unknown>[]): Stage<unknown[]> {
  const label = `zip(${sources.map((source) => source.label).join(', ')})`;
  const randoms = sources.flatMap(({ random }) => (random === undefined ? [] : [random]));
  if (randoms.length === sources.length) {
    return randomStage(label, {
      length: Math.min(...randoms.map(({ length }) => length)),
      readAhead: Math.max(...randoms.map(({ readAhead }) => readAhead ?? 0)),
      ready: () => {
        const loading = randoms.flatMap((random) => random.ready?.() ?? []);
        return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
      },
      at: (pass, position) => {
        const elements = randoms.map((random) => random.at(pass, position));
        return elements.some((element) => element instanceof Promise) ? Promise.all(elements) : elements;
      },
    });
  }
  const lengths = sources.flatMap(({ length }) => (length === undefined ? [] : [length]));
  return {
    label,
    length: lengths.length === sources.length || lengths.includes(0) ? Math.min(...lengths) : undefined,
    addressable: sources.every(({ addressable }) => addressable),
    open: (pass) => zipCursor(sources.map((source) => source.open(pass))),
  };
}

function zipCursor(sources: readonly Cursor<unknown>[]): Cursor<unknown[]> {
  const collect = <V>(get: (source: Cursor<unknown>, i: number) => Maybe<V | End>): Maybe<V[] | End> => {
    const values: V[] = [];
    let ended = false;
    return chain(
      forEachIndex(sources.length, (i) => {
        if (ended) return;
        return chain(get(sources[i]!, i), (value) => {
          if (value === END) ended = true;
          else values.push(value as V);
        });
      }),
      () => (ended ? END : values),
    );
  };
  return {
    pull: () => collect((source) => source.pull()),
    state: () => sources.map((source) => source.state()),
    restore: (state) => {
      const states = list(state, 'zip position');
      return forEachIndex(sources.length, (i) => restoreCursor(sources[i]!, states[i]!));
    },
    address: () => {
      const addresses = sources.map((source) => source.address());
      return addresses.includes(undefined) ? undefined : (addresses as PositionValue[]);
    },
    fetch: (address) => {
      const addresses = list(address, 'zip address');
      return collect((source, i) => source.fetch(addresses[i]!)) as Maybe<unknown[]>;
    },
    close: () => forEachIndex(sources.length, (i) => sources[i]!.close()),
  };
}
