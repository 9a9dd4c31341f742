/** Sources of numbers for tests: read by position, in order with positions, in order without, at once or not. */
import { Dataset } from './dataset.js';
import { fromGenerator, range } from './from.js';
import { positionedStage } from './sources/positioned.js';

/** Numbers from a generator: a source without positions. */
export const streamed = (n: number, asynchronous = false): Dataset<number> =>
  fromGenerator(() => (asynchronous ? asynchronously(n) : synchronously(n)));

/** 0, 1, …, n - 1. */
export function* synchronously(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i;
}

/** 0, 1, …, n - 1, each after a turn. */
async function* asynchronously(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield i;
}

/** Numbers from a source that is read in order but has positions, as a record file has. */
export const positioned = (n: number): Dataset<number> =>
  new Dataset(
    positionedStage(`numbers(${n})`, () => {
      let at = 0;
      return {
        next: async () => (at < n ? { element: at, position: at++ } : undefined),
        position: () => at,
        seek: (position) => void (at = position as number),
        read: (position) => position as number,
        close: () => undefined,
      };
    }),
  );

/** A function from length to data set for every kind of source. */
export const sources = {
  range: (n: number) => range(0, n),
  streamed: (n: number) => streamed(n),
  asynchronous: (n: number) => streamed(n, true),
  positioned,
};
