import { describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../errors.js';
import type { SyncDataIterator } from './dataset.js';
import { openDataset } from './live-iterator.js';
import {
  createLoopFn,
  createTfWhileLoopFn,
  createTfWhileLoopFnWithState,
  LoopFnWithSummaries,
  OptionalSummariesFunction,
} from './loop-fns.js';
import { summariesDue, withSummaryScope } from './summary-scope.js';
import { MemorySummaries } from './testing.js';

type Numbers = SyncDataIterator<number>;

async function open(...values: number[]): Promise<Numbers> {
  return (await openDataset(values)) as unknown as Numbers;
}

const take = (iterator: Numbers): number => iterator.next().value;
const add = (state: number, value: number): number => state + value;

describe('createLoopFn', () => {
  it('folds the outputs of the steps', async () => {
    expect(await createLoopFn(take)(await open(1, 2, 3), 2, 10, add)).toBe(13);
  });

  it('runs until the data end with -1, and stops early without error', async () => {
    expect(await createLoopFn(take)(await open(1, 2, 3), -1, 0, add)).toBe(6);
    expect(await createLoopFn(take)(await open(1, 2, 3), 5, 0, add)).toBe(6);
    expect(await createLoopFn(take)(await open(), -1, 7, add)).toBe(7);
  });

  it('returns the first state without a reducer', async () => {
    expect(await createLoopFn(take)(await open(1), 1, 4)).toBe(4);
    expect(await createLoopFn(take)(await open(1), 1)).toBeUndefined();
  });

  it('waits for steps and reducers that are asynchronous', async () => {
    const loop = createLoopFn(async (iterator: Numbers) => take(iterator));
    expect(await loop(await open(1, 2), -1, 0, async (state, value) => state + value)).toBe(3);
  });

  it.each([-2, 1.5, NaN])('refuses %s steps', async (steps) => {
    await expect(createLoopFn(take)(await open(1), steps)).rejects.toThrow(UsageError);
  });
});

describe('fixed loops', () => {
  it('make exactly the steps asked for', async () => {
    const seen: number[] = [];
    await createTfWhileLoopFn((iterator: Numbers) => seen.push(take(iterator)))(await open(1, 2, 3), 2);
    expect(seen).toEqual([1, 2]);
    expect(await createTfWhileLoopFnWithState(take)(await open(1, 2), 2, 0, add)).toBe(3);
  });

  it('fail when the data end before, and do not know -1', async () => {
    await expect(createTfWhileLoopFn(take)(await open(1), 2)).rejects.toThrow(DataError);
    await expect(createTfWhileLoopFnWithState(take)(await open(1), 2, 0, add)).rejects.toThrow(/after 1 of 2/);
    await expect(createTfWhileLoopFn(take)(await open(1), -1)).rejects.toThrow(UsageError);
  });
});

describe('loops with summaries', () => {
  it('let the first step record if summaries are due when the loop begins', async () => {
    const due: boolean[] = [];
    const loop = new LoopFnWithSummaries(() => due.push(summariesDue()));
    const scope = { writer: new MemorySummaries().factory('d'), shouldRecord: () => true, step: { value: 0 } };
    await withSummaryScope(scope, () => loop.run(null, 3));
    await loop.run(null, 2);
    expect(due).toEqual([true, false, false, false, false]);
  });

  it('have two variants of a function', () => {
    const fn = new OptionalSummariesFunction((a: number, b: number) => [a + b, summariesDue()]);
    const scope = { writer: new MemorySummaries().factory('d'), shouldRecord: () => true, step: { value: 0 } };
    withSummaryScope(scope, () => {
      expect(fn.withSummaries(1, 2)).toEqual([3, true]);
      expect(fn.withoutSummaries(1, 2)).toEqual([3, false]);
    });
  });
});
