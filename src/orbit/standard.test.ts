import { describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../errors.js';
import { Controller } from './controller.js';
import type { DataIterator, DatasetLike, Datasets, IteratorsOf, SyncDataIterator } from './dataset.js';
import { createGlobalStep } from './global-step.js';
import type { PositionState } from './live-iterator.js';
import { StandardEvaluator } from './standard-evaluator.js';
import { StandardEvaluatorOptions, StandardTrainerOptions } from './standard-options.js';
import { StandardTrainer } from './standard-trainer.js';
import { StandardTrainerEvaluator } from './standard-trainer-evaluator.js';
import { recordScalar, withSummaryScope } from './summary-scope.js';
import { MemorySummaries } from './testing.js';
import type { Output } from './types.js';

function* numbers(from = 0): Generator<number> {
  for (let n = from; ; n++) yield n;
}

async function* lateNumbers(): AsyncGenerator<number> {
  yield* numbers();
}

/** Notes every batch and hook. */
class Notes extends StandardTrainer<DatasetLike<number>> {
  readonly log: (string | number)[] = [];
  override trainLoopBegin(): void {
    this.log.push('begin');
  }
  override trainStep(iterator: DataIterator<number>): unknown {
    const next = iterator.next();
    if (next instanceof Promise) return next.then(({ value }) => this.log.push(value));
    return this.log.push(next.value);
  }
  override trainLoopEnd(): Output {
    this.log.push('end');
    return { batches: this.log.length };
  }
}

describe('StandardTrainer', () => {
  it.each([
    ['a synchronous', () => numbers()],
    ['an asynchronous', () => lateNumbers()],
  ])('goes on with %s dataset where the last loop stopped', async (_, dataset) => {
    const trainer = new Notes(dataset);
    expect(await trainer.train(2)).toEqual({ batches: 4 });
    await trainer.train(1);
    expect(trainer.log).toEqual(['begin', 0, 1, 'end', 'begin', 2, 'end']);
  });

  it('starts a new dataset at its first batch', async () => {
    const trainer = new Notes(() => numbers());
    await trainer.train(2);
    trainer.trainDataset = () => numbers(50);
    await trainer.train(1);
    expect(trainer.log).toContain(50);
  });

  it('gives a step the iterators of a structure of datasets', async () => {
    const seen: unknown[] = [];
    const datasets = { images: ['a', 'b'], pair: [new Set([1, 2]), new Set([3, 4])] } as const;
    class Nested extends StandardTrainer<Datasets> {
      override trainStep(iterators: IteratorsOf<Datasets>): void {
        const { images, pair } = iterators as unknown as { images: SyncDataIterator; pair: SyncDataIterator[] };
        seen.push([images.next().value, pair[0]!.next().value, pair[1]!.next().value]);
      }
    }
    await new Nested(datasets).train(2);
    expect(seen).toEqual([
      ['a', 1, 3],
      ['b', 2, 4],
    ]);
  });

  it('builds its loop once', async () => {
    let built = 0;
    class Own extends Notes {
      override createTrainLoopFn(): (iterator: DataIterator<number>, n: number) => Promise<void> {
        built += 1;
        return async (iterator, n) => {
          for (let i = 0; i < n; i++) await this.trainStep(iterator);
        };
      }
    }
    const trainer = new Own(() => numbers());
    await trainer.train(1);
    await trainer.train(1);
    expect(built).toBe(1);
  });

  it('says how many steps were made when the data end inside a loop', async () => {
    await expect(new Notes([1, 2, 3]).train(5)).rejects.toThrow(/after 3 of 5 steps/);
    await expect(new Notes([1, 2, 3]).train(5)).rejects.toThrow(DataError);
  });

  it('ends a plain loop early, and fails when no step can be made any more', async () => {
    const trainer = new Notes([1, 2, 3], { useTfWhileLoop: false });
    await trainer.train(5);
    expect(trainer.log).toEqual(['begin', 1, 2, 3, 'end']);
    await expect(trainer.train(5)).rejects.toThrow(/exhausted/);
  });

  it('ends a controller on exhausted data with an error instead of going on for ever', async () => {
    const step = createGlobalStep();
    class Counter extends StandardTrainer<number[]> {
      override trainStep(iterator: SyncDataIterator<number>): void {
        iterator.next();
        step.assignAdd(1);
      }
    }
    const warnings: string[] = [];
    const controller = new Controller({
      globalStep: step,
      trainer: new Counter([1, 2, 3], { useTfWhileLoop: false }),
      stepsPerLoop: 2,
      reporter: { warning: (line) => warnings.push(line) },
    });
    await expect(controller.train(10)).rejects.toThrow(/exhausted/);
    expect(step.value).toBe(3);
    expect(warnings).toHaveLength(1);
  });

  it('lets errors of a step through', async () => {
    class Broken extends Notes {
      override trainStep(): void {
        throw new RangeError('bad batch');
      }
    }
    await expect(new Broken([1]).train(1)).rejects.toThrow(RangeError);
  });

  it('lets only the first step of a loop record with the summary optimisation', async () => {
    const summaries = new MemorySummaries();
    class Recording extends Notes {
      override trainStep(iterator: DataIterator<number>): void {
        recordScalar('batch', (iterator as SyncDataIterator<number>).next().value);
      }
    }
    const trainer = new Recording(() => numbers(), { useTpuSummaryOptimization: true });
    const scope = { writer: summaries.factory('d'), shouldRecord: () => true, step: { value: 9 } };
    await withSummaryScope(scope, () => trainer.train(3));
    await trainer.train(2);
    await withSummaryScope(scope, () => trainer.train(1));
    expect(summaries.files.get('d')).toEqual([
      ['batch', 9, 0],
      ['batch', 9, 5],
    ]);
  });

  it('rejects options that do not agree, misspelt ones, and what is no dataset', () => {
    expect(() => new Notes([1], { useTfFunction: false })).toThrow(UsageError);
    expect(() => new Notes([1], { useTfWhileLoop: false, useTpuSummaryOptimization: true })).toThrow(UsageError);
    expect(() => new Notes([1], { useTfWhileLop: false } as object)).toThrow(/useTfWhileLop/);
    expect(() => new Notes(5 as unknown as number[])).toThrow(/trainDataset/);
    expect(new Notes([1], new StandardTrainerOptions({ useTfWhileLoop: null as unknown as boolean })).trainerOptions.useTfWhileLoop).toBe(
      true,
    );
  });
});

describe('the position of the training data', () => {
  it('can be saved and goes on with the same batches in a new trainer, loaded before any data are read', async () => {
    const first = new Notes(() => numbers());
    await first.train(3);
    const saved = first.trainIterator.stateDict();
    const second = new Notes(() => lateNumbers());
    second.trainIterator.loadStateDict(saved);
    expect(second.trainIterator.stateDict()).toEqual(saved);
    await second.train(1);
    expect(second.log).toEqual(['begin', 3, 'end']);
  });

  it('can go back in a live trainer', async () => {
    const trainer = new Notes(() => numbers());
    const start = trainer.trainIterator.stateDict();
    await trainer.train(2);
    const early = trainer.trainIterator.stateDict();
    await trainer.train(2);
    trainer.trainIterator.loadStateDict(early);
    await trainer.train(1);
    trainer.trainIterator.loadStateDict(start);
    await trainer.train(1);
    expect(trainer.log.filter((entry) => typeof entry === 'number')).toEqual([0, 1, 2, 3, 2, 0]);
  });

  it('is that of the iterators where they have one', async () => {
    class Source implements Iterator<number> {
      at = 100;
      next(): IteratorResult<number> {
        return { done: false, value: this.at++ };
      }
      stateDict(): PositionState {
        return { at: this.at };
      }
      loadStateDict(state: PositionState): void {
        this.at = state.at as number;
      }
    }
    const dataset = { [Symbol.iterator]: () => new Source() };
    const trainer = new Notes(dataset);
    await trainer.train(1);
    expect(trainer.trainIterator.stateDict()).toEqual({ '': { at: 101 } });
    trainer.trainIterator.loadStateDict({ '': { at: 7 } });
    await trainer.train(1);
    expect(trainer.log).toContain(7);
  });

  it('is refused when it belongs to another kind of dataset', async () => {
    const trainer = new Notes(() => numbers());
    trainer.trainIterator.loadStateDict({ '': { offset: 3 } });
    await expect(trainer.train(1)).rejects.toThrow(/another kind of dataset/);
  });

  it('outlives closing the data', async () => {
    const trainer = new Notes(() => numbers());
    await trainer.train(2);
    await trainer.close();
    expect(trainer.trainIterator.current).toBeNull();
    expect(trainer.trainIterator.stateDict()).toEqual({ '': { batches_taken: 2 } });
    await trainer.train(1);
    expect(trainer.log).toContain(2);
  });

  it('counts batches that are still to be skipped', async () => {
    const trainer = new Notes(() => numbers());
    await trainer.train(1);
    trainer.trainIterator.loadStateDict({ '': { batches_taken: 5 } });
    expect(trainer.trainIterator.stateDict()).toEqual({ '': { batches_taken: 5 } });
    await trainer.train(1);
    expect(trainer.log).toContain(5);
  });
});

/** Sums the batches. */
class Sum extends StandardEvaluator<DatasetLike<number>> {
  override evalBegin(): unknown {
    return 0;
  }
  override async evalStep(iterator: DataIterator<number>): Promise<number> {
    return (await iterator.next()).value;
  }
  override evalReduce(state: unknown, value: unknown): unknown {
    return (state as number) + (value as number);
  }
  override evalEnd(state?: unknown): Output {
    return { sum: state as number };
  }
}

describe('StandardEvaluator', () => {
  it.each([
    [2, 3],
    [-1, 10],
    [9, 10],
  ])('with %i steps folds the batches there are', async (steps, sum) => {
    expect(await new Sum([1, 2, 3, 4]).evaluate(steps)).toEqual({ sum });
  });

  it('starts again at each evaluation, unless told to go on', async () => {
    const again = new Sum([1, 2, 3, 4]);
    await again.evaluate(2);
    expect(await again.evaluate(2)).toEqual({ sum: 3 });
    const goingOn = new Sum([1, 2, 3, 4], { recreateIteratorForEachEval: false });
    await goingOn.evaluate(2);
    expect(await goingOn.evaluate(2)).toEqual({ sum: 7 });
    goingOn.evalDataset = [5, 6];
    expect(await goingOn.evaluate(1)).toEqual({ sum: 5 });
  });

  it('ends the iterator after each evaluation, also one that failed', async () => {
    let ended = 0;
    const dataset = function* (): Generator<number> {
      try {
        yield* numbers();
      } finally {
        ended += 1;
      }
    };
    await new Sum(dataset).evaluate(3);
    expect(ended).toBe(1);
    class Broken extends Sum {
      override async evalStep(iterator: DataIterator<number>): Promise<number> {
        await iterator.next();
        throw new RangeError('bad batch');
      }
    }
    await expect(new Broken(dataset).evaluate(3)).rejects.toThrow(RangeError);
    expect(ended).toBe(2);
  });

  it('with a fixed loop refuses -1, needs all steps, and does not fold without a first state', async () => {
    const fixed = new Sum([1, 2, 3], { useTfWhileLoop: true });
    await expect(fixed.evaluate(-1)).rejects.toThrow(UsageError);
    await expect(fixed.evaluate(4)).rejects.toThrow(DataError);
    expect(await fixed.evaluate(3)).toEqual({ sum: 6 });
    class Stateless extends Sum {
      override evalBegin(): unknown {
        return null;
      }
      override evalReduce(): unknown {
        throw new Error('must not be called');
      }
    }
    expect(await new Stateless([1, 2], { useTfWhileLoop: true }).evaluate(2)).toEqual({ sum: undefined });
  });

  it('calls evalEnd without argument where there is no state', async () => {
    const counts: number[] = [];
    class Bare extends StandardEvaluator<number[]> {
      override evalStep(iterator: SyncDataIterator<number>): number {
        return iterator.next().value;
      }
      override evalEnd(...args: unknown[]): void {
        counts.push(args.length);
      }
    }
    expect(await new Bare([1, 2]).evaluate(-1)).toBeUndefined();
    expect(counts).toEqual([0]);
  });

  it('rejects options that do not agree', () => {
    const options = new StandardEvaluatorOptions({ useTfWhileLoop: true, useTfFunction: false });
    expect(() => new Sum([1], options)).toThrow(UsageError);
  });
});

describe('StandardTrainerEvaluator', () => {
  class Both extends StandardTrainerEvaluator<DatasetLike<number>, DatasetLike<number>> {
    trained = 0;
    override async trainStep(iterator: DataIterator<number>): Promise<void> {
      this.trained += (await iterator.next()).value;
    }
    override evalBegin(): number {
      return 0;
    }
    override async evalStep(iterator: DataIterator<number>): Promise<number> {
      return (await iterator.next()).value;
    }
    override evalReduce(state: unknown, value: unknown): number {
      return (state as number) + (value as number);
    }
    override evalEnd(state?: unknown): Output {
      return { sum: state as number };
    }
  }

  it('has the hooks of both halves in one object', async () => {
    const both = new Both({ trainDataset: [1, 2, 3], evalDataset: [10, 20] });
    await both.train(2);
    expect(both.trained).toBe(3);
    expect(await both.evaluate(-1)).toEqual({ sum: 30 });
    both.evalDataset = [5];
    expect(await both.evaluate(-1)).toEqual({ sum: 5 });
  });

  it('names the data that are missing', async () => {
    const half = new Both({ evalDataset: [1] });
    await expect(half.train(1)).rejects.toThrow(/trainDataset/);
    await expect(new Both({ trainDataset: [1] }).evaluate(1)).rejects.toThrow(/evalDataset/);
  });
});
