import { asFunction, optionsOf, whole } from '../arguments.js';
import { pure } from '../purity.js';
import { itemsStage } from '../sources/items.js';
import { iterableStage, type AnyIterable } from '../sources/iterables.js';
import { chain, type Maybe, type Stage } from '../stage.js';
import { rowCount, rowOf, type Unbatched } from '../structure.js';
import { InWorker, workerOptionNames, type WorkerOptions } from '../workers/index.js';
import { inWorkers, ownThread } from './in-workers.js';
import { interleave, type Turns } from './interleave.js';

/** How the elements made of several elements take turns. */
export interface InterleaveOptions {
  /** Elements that are open at a time. */
  readonly cycleLength: number;
  /** Consecutive elements taken from one of them before the next one's turn; default 1. */
  readonly blockLength?: number;
}

/** What an element is expanded into: a data set, or anything that can be gone through. */
type Expander<A, B> = (element: A) => Maybe<{ readonly stage: Stage<B> } | AnyIterable<B>>;

const oneAfterTheOther: Turns = { cycleLength: 1, blockLength: Infinity };

/** Puts the elements of what a function makes of each element one after the other; one in workers makes lists. */
export function flatMapIn<A, B>(
  source: Stage<A>,
  fn: Expander<A, B> | InWorker<A, readonly B[]>,
  options?: WorkerOptions | null,
): Stage<B> {
  if (fn instanceof InWorker) return inWorkers<B>(source, fn, 'flatMap', options);
  ownThread(fn, options, 'flatMap');
  return interleave(source, expansion(pure('flatMap', fn), 'flatMap'), oneAfterTheOther, 'flatMap');
}

/** Takes turns between the elements of what a function makes of each element; one in workers makes lists. */
export function interleaveIn<A, B>(
  source: Stage<A>,
  fn: Expander<A, B> | InWorker<A, readonly B[]>,
  options: InterleaveOptions & WorkerOptions,
): Stage<B> {
  const known = optionsOf(options, 'interleave', ['cycleLength', 'blockLength', ...workerOptionNames]);
  const { cycleLength, blockLength, ...workerOptions } = known;
  const turns = {
    cycleLength: whole(cycleLength, 'interleave: cycleLength', 1),
    blockLength: whole(blockLength ?? 1, 'interleave: blockLength', 1),
  };
  const operator = `interleave(${turns.cycleLength}, block ${turns.blockLength})`;
  if (fn instanceof InWorker) {
    const lists = inWorkers<readonly B[]>(source, fn, 'interleave', workerOptions);
    return interleave(lists, listStage, turns, operator);
  }
  ownThread(asFunction(fn, 'interleave'), workerOptions, 'interleave');
  return interleave(source, expansion(pure('interleave', fn), 'interleave'), turns, operator);
}

/** The rows of every element as elements. */
export function unbatch<T>(source: Stage<T>): Stage<Unbatched<T>> {
  const expand = (element: T): Stage<Unbatched<T>> => itemsStage('rows', rowCount(element), (index) => rowOf(element, index));
  return interleave(source, expand, oneAfterTheOther, 'unbatch');
}

function expansion<A, B>(fn: Expander<A, B>, operator: string): (element: A) => Maybe<Stage<B>> {
  return (element) =>
    chain(fn(element), (made): Stage<B> => {
      if (Array.isArray(made)) return listStage<B>(made);
      const stage = (made as { readonly stage?: Stage<B> } | null | undefined)?.stage;
      return typeof stage?.open === 'function' ? stage : iterableStage(() => made as AnyIterable<B>, { name: `${operator}(…)` });
    });
}

function listStage<B>(made: readonly B[]): Stage<B> {
  return itemsStage('items', made.length, (position) => made[position]!);
}
