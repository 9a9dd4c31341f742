/** The datasets of a task. */
import type { DatasetLike } from '../orbit/index.js';
import type { DataConfig } from './config.js';
import { seededData } from './seeds.js';
import type { Task } from './task.js';
import { requireWalkable } from './task-checks.js';
import type { Walkable } from './task-checks.js';

/**
 * The task's dataset of a data config: built when it is first opened and walked anew each time. Data that can be walked only
 * once (a generator object) are built again.
 * @param early build it at once, so that its files load meanwhile; an error still comes when it is opened
 */
export function taskInputs(task: Task, config: DataConfig, seed: number, early = false): DatasetLike {
  const data = seededData(config, seed);
  const build = async (): Promise<Walkable> => {
    const built = await task.buildInputs(data);
    return requireWalkable(typeof built === 'function' ? await built() : built, task);
  };
  let dataset = early ? build() : null;
  dataset?.catch(() => undefined); // seen by whoever opens it
  return async () => {
    dataset ??= build();
    const opened = await dataset;
    if ('next' in opened) dataset = null;
    return opened;
  };
}
