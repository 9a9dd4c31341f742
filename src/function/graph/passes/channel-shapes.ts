/** Images, and the vectors of one number per channel that broadcast along them. */
import { producer, type Call, type Value } from '../ir.js';

/** Number of pixels of all images of a batch. */
export const pixels = (shape: readonly number[]): number => shape[0]! * shape[1]! * shape[2]!;

/** A float image of more than one pixel: otherwise it is itself a vector. */
export const isImage = (v: Value): boolean => v.dtype === 'float32' && v.shape.length === 4 && pixels(v.shape) > 1;

/** True when the value broadcasts along the channels of an image alone. */
export function isVector(v: Value, image: readonly number[]): boolean {
  const last = v.shape.at(-1) ?? 1;
  return (
    v.dtype === 'float32' && v.shape.length <= 4 && v.shape.slice(0, -1).every((d) => d === 1) && (last === 1 || last === image.at(-1))
  );
}

/** x, when the value is the mean of the image x over its pixels. */
export function meanOf(value: Value): Value | undefined {
  const call = producer(value);
  if (call?.kernel === 'Reshape') return meanOf(call.inputs[0]!);
  return call?.kernel === 'Mean' && isImage(call.inputs[0]!) && isOverPixels(call) ? call.inputs[0] : undefined;
}

/** True for a sum or mean over all pixels, which leaves one number per channel. */
export function isOverPixels(call: Call): boolean {
  const axis = call.attrs['axis'];
  return Array.isArray(axis) && axis.join() === '0,1,2';
}
