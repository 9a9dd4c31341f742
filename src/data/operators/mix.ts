import { UsageError } from '../../errors.js';
import { asList, optionsOf, whole } from '../arguments.js';
import { count, list } from '../random-access.js';
import { hashKey, RandomStream } from '../random.js';
import { derived, END, forEachIndex, restoreCursor, chain, type Cursor, type PositionValue, type Stage } from '../stage.js';

/** Like {@link mix}, with what a user gave. */
export function mixIn<T>(
  sources: readonly Stage<T>[],
  weights: readonly number[],
  options: { readonly seed?: number } | null | undefined,
  operator: string,
): Stage<T> {
  const seed = whole(optionsOf(options, operator, ['seed']).seed ?? 0, `${operator}: seed`, -Number.MAX_SAFE_INTEGER);
  const mixed = mix(sources, asList(weights, `${operator}: weights`), seed);
  return derived(sources[0]!, mixed);
}

/** Draws every element from one of the sources, chosen with its weight; ends when the chosen source is empty. */
export function mix<T>(sources: readonly Stage<T>[], weights: readonly number[], seed: number): Stage<T> {
  if (sources.length === 0 || sources.length !== weights.length) {
    throw new UsageError(
      `mixDatasets needs one weight for each data set: ${sources.length} data sets and ${weights.length} weights were given.`,
    );
  }
  if (
    weights.some((weight) => typeof weight !== 'number' || !(weight >= 0 && weight < Infinity)) ||
    !weights.some((weight) => weight > 0)
  ) {
    throw new UsageError(
      `mixDatasets needs numbers from 0 as weights, not all 0; [${weights.map((weight) => (typeof weight === 'number' ? weight : JSON.stringify(weight))).join(', ')}] was given.`,
    );
  }
  return {
    label: `mix(${sources.map((source, i) => `${weights[i]} of ${source.label}`).join(', ')}; seed ${seed})`,
    length: sources.every(({ length }) => length === Infinity) ? Infinity : undefined,
    addressable: sources.every(({ addressable }) => addressable),
    open: (pass) =>
      mixCursor(
        sources.map((source) => source.open(pass)),
        weights,
        new RandomStream(hashKey(seed, pass)),
      ),
  };
}

function mixCursor<T>(sources: readonly Cursor<T>[], weights: readonly number[], random: RandomStream): Cursor<T> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  let ended = false;
  const draw = (): number => {
    let rest = random.uniform() * total;
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i]!;
      if (rest < 0) return i;
    }
    return weights.findLastIndex((weight) => weight > 0); // rounding
  };
  return {
    pull: () => {
      if (ended) return END;
      last = draw();
      return chain(sources[last]!.pull(), (element) => {
        ended = element === END;
        return element;
      });
    },
    state: (): PositionValue => [random.count, ended, sources.map((source) => source.state())],
    restore: (state) => {
      const [draws, wasEnded, states] = list(state, 'mix position');
      random.count = count(draws, 'count of draws');
      ended = wasEnded === true;
      const saved = list(states, 'mix position');
      return forEachIndex(sources.length, (i) => restoreCursor(sources[i]!, saved[i]!));
    },
    address: () => {
      const inner = sources[last]!.address();
      return inner === undefined ? undefined : [last, inner];
    },
    fetch: (address) => {
      const [which, inner] = list(address, 'mix address');
      return sources[count(which, 'source')]!.fetch(inner!);
    },
    close: () => forEachIndex(sources.length, (i) => sources[i]!.close()),
  };
}
