/** Telling promises from values, so that synchronous work runs without a turn of the promise queue. */
import type { MaybePromise } from './types.js';

/** Whether `value` is a promise (anything with `then`). */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as unknown as PromiseLike<T>).then === 'function';
}
