/** Where a run reads its arguments: in the caller's memory or in a copy. */
import type { TypedArray } from '../dtype.js';
import { NativeBuffer } from './buffer.js';

/** Arguments of at least this size are read where they lie instead of being copied, when the run blocks the thread. */
const READ_IN_PLACE_BYTES = 32_768;

/** Native views of arguments that were read in place. */
const views = new WeakMap<TypedArray, NativeBuffer>();

/**
 * The buffer from which a run reads an argument: a view of a large one, else `own` with a copy of the data.
 *
 * @param own the program's buffer for this argument.
 * @param inPlace false for a run in the background, while which the caller may change its data.
 */
export function argumentBuffer(own: NativeBuffer, data: TypedArray, inPlace: boolean): NativeBuffer {
  const isAlike = data.byteLength === own.byteLength && data.constructor === own.array.constructor;
  if (!inPlace || own.byteLength < READ_IN_PLACE_BYTES || !isAlike) {
    own.array.set(data);
    return own;
  }
  let view = views.get(data) ?? new NativeBuffer(own.spec, data);
  if (view.spec !== own.spec && view.spec.shape.join() !== own.spec.shape.join()) view = new NativeBuffer(own.spec, data);
  views.set(data, view);
  return view;
}
