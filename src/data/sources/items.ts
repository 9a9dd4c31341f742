import { randomStage } from '../random-access.js';
import type { Maybe, Stage } from '../stage.js';

/** The elements of a list, or of a function of the position. */
export function itemsStage<T>(label: string, length: number, at: (position: number) => Maybe<T>): Stage<T> {
  return randomStage(`${label}(${length})`, { length, at: (_, position) => at(position) });
}
