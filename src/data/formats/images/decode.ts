import { DataError, UsageError } from '../../../errors.js';
import { firstBytes, optionalPackage } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { RandomStream } from '../../random.js';

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

type Sharp = typeof import('sharp').default;
let loading: Promise<Sharp> | undefined;

async function load(): Promise<Sharp> {
  const { default: sharp } = await optionalPackage(() => import('sharp'), 'sharp', 'Reading images');
  sharp.cache(false);
  sharp.concurrency(1); // several images at a time make better use of the cores than several threads in one
  return sharp;
}

/** Makes the decoder for options. Throws a {@link UsageError} for options that cannot be used. */
export function imageDecoder(options: ImageOptions): Decoder {
  const { fit = 'stretch', flip = false, channels = 3, dtype = 'float32', normalize } = options;
  const size = typeof options.size === 'number' ? ([options.size, options.size] as const) : options.size;
  if (size !== undefined && !size.every((axis) => Number.isSafeInteger(axis) && axis > 0))
    throw new UsageError(`size is [${size.join(', ')}]; whole numbers of at least 1 were expected.`);
  if (!['stretch', 'crop', 'random_crop'].includes(fit))
    throw new UsageError(`fit is ${JSON.stringify(fit)}; stretch, crop or random_crop was expected.`);
  if (fit !== 'stretch' && size === undefined) throw new UsageError(`fit: '${fit}' needs a size.`);
  if (channels !== 1 && channels !== 3) throw new UsageError(`channels is ${String(channels)}; 1 or 3 was expected.`);
  if (normalize !== undefined && (dtype === 'uint8' || normalize.mean.length !== channels || normalize.std.length !== channels)) {
    throw new UsageError(`normalize needs dtype float32 and ${channels} numbers each as mean and std.`);
  }
  const [scale, shift] = scaling(channels, normalize);
  return async (path, random) => {
    const sharp = await (loading ??= load());
    const { data, info } = await decode(path, async () => {
      let image = sharp(path, { failOn: 'error', sequentialRead: true });
      if (size !== undefined) {
        const [height, width] = size;
        if (fit === 'random_crop') image = image.extract(randomPart(await image.metadata(), random));
        image = image.resize({ width, height, fit: fit === 'crop' ? 'cover' : 'fill', kernel: 'linear' });
      }
      if (flip && random.below(2) === 1) image = image.flop();
      return image.removeAlpha().toColourspace('srgb').raw();
    });
    const shape = [info.height, info.width, channels];
    if (info.channels !== 3) throw new DataError(`${path} has ${info.channels} channels after conversion; 3 were expected.`);
    const bytes = channels === 1 ? greyOf(data) : data;
    if (dtype === 'uint8') return new NDArray(new Uint8Array(bytes), shape, 'uint8');
    const values = new Float32Array(bytes.length);
    if (channels === 1) for (let i = 0; i < values.length; i++) values[i] = bytes[i]! * scale[0]! + shift[0]!;
    else {
      const [s0, s1, s2] = scale as [number, number, number];
      const [b0, b1, b2] = shift as [number, number, number];
      for (let i = 0; i < values.length; i += 3) {
        values[i] = data[i]! * s0 + b0;
        values[i + 1] = data[i + 1]! * s1 + b1;
        values[i + 2] = data[i + 2]! * s2 + b2;
      }
    }
    return new NDArray(values, shape, 'float32');
  };
}

/** Luma of ITU-R 601 in whole numbers: the grey of Pillow and of tf.image. */
function greyOf(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = (rgb[at]! * 19595 + rgb[at + 1]! * 38470 + rgb[at + 2]! * 7471 + 0x8000) >> 16;
  }
  return grey;
}

async function decode(path: string, image: () => Promise<import('sharp').Sharp>) {
  try {
    return await (await image()).toBuffer({ resolveWithObject: true });
  } catch (error) {
    await firstBytes(path, 1); // says in our words when the file is missing
    throw new DataError(
      `${path} cannot be decoded as an image: ${(error as Error).message.trim()}. Is it truncated, or of another format?`,
      { cause: error },
    );
  }
}

/** value × scale + shift, per channel: bytes to 0…1, then normalised. */
function scaling(channels: number, normalize: ImageOptions['normalize']): [scale: number[], shift: number[]] {
  const mean = normalize?.mean ?? new Array<number>(channels).fill(0);
  const std = normalize?.std ?? new Array<number>(channels).fill(1);
  return [std.map((s) => 1 / 255 / s), mean.map((m, i) => -m / std[i]!)];
}

function randomPart({ width, height }: { width: number; height: number }, random: RandomStream) {
  const uniform = (): number => random.below(2 ** 30) / 2 ** 30;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (0.08 + 0.92 * uniform());
    const aspect = Math.exp(Math.log(3 / 4) + uniform() * Math.log(16 / 9));
    const [w, h] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
    if (w >= 1 && h >= 1 && w <= width && h <= height) {
      return { left: random.below(width - w + 1), top: random.below(height - h + 1), width: w, height: h };
    }
  }
  const side = Math.min(width, height);
  return { left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side };
}
