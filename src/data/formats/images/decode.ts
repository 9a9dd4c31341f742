import { UsageError } from '../../../errors.js';
import { optionsOf } from '../../arguments.js';
import { NDArray } from '../../ndarray.js';
import type { RandomStream } from '../../random.js';
import { convert } from './pixels.js';
import { readScaled } from './scaled.js';

/** How an image becomes an array. */
export interface ImageOptions {
  /** Height and width of the result (one number: both). Left out: the image's own, which must then be equal to be batched. */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * How an image of another aspect gets that size: `stretch` (default) changes the aspect, `crop` scales the shorter side and cuts
   * the middle out, `random_crop` cuts a random part of 8 to 100 % of the area with an aspect from 3:4 to 4:3 and scales it.
   */
  readonly fit?: 'stretch' | 'crop' | 'random_crop';
  /** Mirror every second image at random; default false. */
  readonly flip?: boolean;
  /** 3 (RGB, default) or 1 (grey). Transparency is dropped. */
  readonly channels?: 1 | 3;
  /** `float32` (default): values from 0 to 1; `uint8`: from 0 to 255. */
  readonly dtype?: 'float32' | 'uint8';
  /** Subtracts `mean` and divides by `std`, given per channel for values from 0 to 1. */
  readonly normalize?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Turns an image file into an array; `random` decides on flip and random crop. */
export type Decoder = (path: string, random: RandomStream) => Promise<NDArray<'float32'> | NDArray<'uint8'>>;

/** Makes the decoder for options. Throws a {@link UsageError} for options that cannot be used. */
export function imageDecoder(options: ImageOptions): Decoder {
  const { fit = 'stretch', flip = false, channels = 3, dtype = 'float32', normalize } = options;
  const [height, width] = typeof options.size === 'number' ? [options.size, options.size] : (options.size ?? []);
  const size = width === undefined || height === undefined ? undefined : { width, height };
  if (size !== undefined && ![height, width].every((axis) => Number.isSafeInteger(axis) && axis! > 0))
    throw new UsageError(`size is [${height}, ${width}]; whole numbers of at least 1 were expected.`);
  if (!['stretch', 'crop', 'random_crop'].includes(fit))
    throw new UsageError(`fit is ${JSON.stringify(fit)}; stretch, crop or random_crop was expected.`);
  if (fit !== 'stretch' && size === undefined) throw new UsageError(`fit: '${fit}' needs a size.`);
  if (channels !== 1 && channels !== 3) throw new UsageError(`channels is ${String(channels)}; 1 or 3 was expected.`);
  if (normalize !== undefined) checkNormalize(normalize);
  if (normalize !== undefined && (dtype === 'uint8' || normalize.mean.length !== channels || normalize.std.length !== channels)) {
    throw new UsageError(`normalize needs dtype float32 and ${channels} numbers each as mean and std.`);
  }
  const [scale, shift] = dtype === 'uint8' ? [[1, 1, 1], [0, 0, 0]] : scaling(channels, normalize); // prettier-ignore
  return async (path, random) => {
    const { rgba, ...extent } = await readScaled(path, size && { ...size, fit }, random);
    const conversion = { channels, mirror: flip && random.below(2) === 1, scale, shift };
    const shape = [extent.height, extent.width, channels];
    const length = extent.height * extent.width * channels;
    if (dtype === 'uint8') {
      const bytes = new Uint8Array(length);
      convert(rgba, extent.width, bytes, conversion);
      return new NDArray(bytes, shape, 'uint8');
    }
    const values = new Float32Array(length);
    convert(rgba, extent.width, values, conversion);
    return new NDArray(values, shape, 'float32');
  };
}

function checkNormalize(normalize: NonNullable<ImageOptions['normalize']>): void {
  const { mean, std } = optionsOf(normalize, 'normalize', ['mean', 'std']);
  for (const [name, numbers] of Object.entries({ mean, std })) {
    if (!Array.isArray(numbers) || !numbers.every((one) => Number.isFinite(one) && (name === 'mean' || one > 0)))
      throw new UsageError(
        `normalize: ${name} is ${JSON.stringify(numbers)}; a list of ${name === 'mean' ? '' : 'positive '}numbers was expected.`,
      );
  }
}

/** value × scale + shift, per channel: bytes to 0…1, then normalised. */
function scaling(channels: number, normalize: ImageOptions['normalize']): [scale: number[], shift: number[]] {
  const mean = normalize?.mean ?? new Array<number>(channels).fill(0);
  const std = normalize?.std ?? new Array<number>(channels).fill(1);
  return [std.map((s) => 1 / 255 / s), mean.map((m, i) => -m / std[i]!)];
}
