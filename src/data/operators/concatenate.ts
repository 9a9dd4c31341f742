import { joinedLocality } from '../locality.js';
import { count, list, randomStage } from '../random-access.js';
import { AGAIN, END, loop, restoreCursor, chain, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';

/** The elements of `first`, then those of `second`. */
export function concatenate<T>(first: Stage<T>, second: Stage<T>): Stage<T> {
  const label = `concatenate(${first.label}, ${second.label})`;
  if (first.random !== undefined && second.random !== undefined) {
    const [a, b] = [first.random, second.random];
    return randomStage(label, {
      length: a.length + b.length,
      locality: joinedLocality(a.locality, b.locality, a.length),
      readAhead: Math.max(a.readAhead ?? 0, b.readAhead ?? 0),
      ready: () => {
        const loading = [a.ready?.(), b.ready?.()].filter((promise) => promise !== undefined);
        return loading.length === 0 ? undefined : Promise.all(loading).then(() => undefined);
      },
      at: (pass, position) => (position < a.length ? a.at(pass, position) : b.at(pass, position - a.length)),
    });
  }
  return {
    label,
    length: first.length === undefined || second.length === undefined ? undefined : first.length + second.length,
    addressable: first.addressable && second.addressable,
    open: (pass) => concatenateCursor([first.open(pass), second.open(pass)]),
  };
}

function concatenateCursor<T>(parts: readonly Cursor<T>[]): Cursor<T> {
  let part = 0;
  return {
    pull: () =>
      loop<T | End>(() =>
        chain<T | End, T | End | typeof AGAIN>(parts[part]!.pull(), (element) => {
          if (element !== END || part === parts.length - 1) return element;
          part++;
          return AGAIN;
        }),
      ),
    state: (): PositionValue => [part, parts[part]!.state()],
    restore: (state): Maybe<void> => {
      const [at, inner] = list(state, 'concatenation');
      part = Math.min(count(at, 'part'), parts.length - 1);
      return restoreCursor(parts[part]!, inner!);
    },
    address: () => {
      const inner = parts[part]!.address();
      return inner === undefined ? undefined : [part, inner];
    },
    fetch: (address) => {
      const [at, inner] = list(address, 'concatenation');
      return parts[count(at, 'part')]!.fetch(inner!);
    },
    close: () => chain(parts[0]!.close(), () => parts[1]!.close()),
  };
}
