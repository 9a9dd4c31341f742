import { derived, type ElementNumber, type Stage } from '../stage.js';
import { makePool, type Pool, type PoolPlan } from '../workers/index.js';
import { numbered, numberIn } from './numbered.js';
import { WorkerCursor } from './worker-cursor.js';
import type { JobShape } from './worker-jobs.js';

/**
 * Applies functions to every element in worker threads. The order stays. Functions right after each other run in the same
 * workers, as many as one of them asks for at most; what they give does not depend on that.
 */
export function workerStage<B>(source: Stage<unknown>, plan: PoolPlan): Stage<B> {
  return derived(source, stageOver<B>(source, plan, false));
}

/** `isNumbered`: the source's elements carry their numbers, since operators came between them and the functions. */
function stageOver<B>(source: Stage<unknown>, plan: PoolPlan, isNumbered: boolean): Stage<B> {
  const together = source.work?.append(plan);
  if (together !== undefined) return together as Stage<B>;
  const { kind: last } = plan.functions.at(-1)!;
  const expand = last === 'filter' || last === 'flatMap';
  const label = `${source.label}${plan.functions.map(({ kind, exportName, seed }) => ` > ${kind} in worker(${exportName}, seed ${seed})`).join('')}`;
  const open = opener<B>(source, plan, { size: undefined, join: false, dropRemainder: false, needsOne: false, expand });
  if (expand) return { label, length: source.length === 0 ? 0 : undefined, addressable: source.addressable, open };
  return {
    label,
    length: source.length,
    addressable: source.addressable,
    open,
    work: {
      // As if the functions were applied before the change: elements keep the numbers that they are told.
      over: (change) => stageOver(change(isNumbered ? source : numbered(source)), plan, true),
      append: (more) => (isNumbered ? undefined : stageOver(source, joined(plan, more), false)),
      batch: (size, dropRemainder, needsOne) => ({
        label: `${label} > batch(${size}${dropRemainder ? ', drop remainder' : ''})`,
        length: source.length && (dropRemainder ? Math.floor : Math.ceil)(source.length / size),
        addressable: source.addressable,
        open: opener<unknown>(source, plan, { size, join: true, dropRemainder, needsOne, expand }),
      }),
    },
  };
}

function joined(plan: PoolPlan, more: PoolPlan): PoolPlan {
  const heaps = [plan.heapMegabytes, more.heapMegabytes].filter((heap) => heap !== undefined);
  return {
    functions: [...plan.functions, ...more.functions],
    workers: Math.max(plan.workers, more.workers),
    heapMegabytes: heaps.length === 0 ? undefined : Math.max(...heaps),
    timeoutSeconds: Math.max(plan.timeoutSeconds, more.timeoutSeconds),
  };
}

/** Opens cursors over one pool, which ends with the last of them. */
function opener<B>(source: Stage<unknown>, plan: PoolPlan, shape: JobShape): (pass: number) => WorkerCursor<B> {
  let pool: Pool | undefined;
  let users = 0;
  const use = (): Pool => {
    if (pool?.failed === true) {
      void pool.close();
      pool = undefined; // a retry has threads of its own
    }
    return (pool ??= makePool(plan));
  };
  const leave = (): ReturnType<Pool['close']> => {
    if (--users > 0) return;
    const old = pool;
    pool = undefined;
    return old?.close();
  };
  return (pass) => {
    users++;
    const number = (k: number): ElementNumber => numberIn(source.part, pass, k);
    return new WorkerCursor<B>(source.open(pass), number, plan, shape, use, leave);
  };
}
