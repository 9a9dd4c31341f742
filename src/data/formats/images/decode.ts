import { readFile } from 'node:fs/promises';
import type { Transformer as ImageTransformer } from '@napi-rs/image';
import { DataError, UsageError } from '../../../errors.js';
import { cannotRead, optionalPackage } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import type { RandomStream } from '../../random.js';
import { cover, randomPart, type Extent, type Part } from './fit.js';
import { isCutJpeg } from './jpeg-end.js';
import { convert, layoutOf, opaque } from './pixels.js';

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

type Library = typeof import('@napi-rs/image');
let loading: Promise<Library> | undefined;

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
  if (normalize !== undefined && (dtype === 'uint8' || normalize.mean.length !== channels || normalize.std.length !== channels)) {
    throw new UsageError(`normalize needs dtype float32 and ${channels} numbers each as mean and std.`);
  }
  const [scale, shift] = dtype === 'uint8' ? [[1, 1, 1], [0, 0, 0]] : scaling(channels, normalize); // prettier-ignore
  return async (path, random) => {
    const library = await (loading ??= optionalPackage(() => import('@napi-rs/image'), '@napi-rs/image', 'Reading images'));
    const { rgba, ...extent } = await decode(library, path, size, fit, random);
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

interface Decoded extends Extent {
  /** Four bytes a pixel. */
  readonly rgba: Uint8Array;
}

/** Reads, decodes and scales an image, all but the copying on other threads. */
async function decode(
  library: Library,
  path: string,
  size: Extent | undefined,
  fit: ImageOptions['fit'],
  random: RandomStream,
): Promise<Decoded> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  if (bytes.length === 0) throw undecodable(path, 'the file is empty');
  if (isCutJpeg(bytes)) throw undecodable(path, 'the file ends in the middle of the image');
  try {
    const image = new library.Transformer(bytes);
    const { colorType, ...full } = await image.metadata(); // decodes; what follows does not do so again
    const layout = layoutOf(colorType);
    if (layout === undefined) throw new Error('it holds floating-point pixels');
    if (size !== undefined && fit !== 'random_crop' && layout.samples % 2 === 1) return await resized(library, image, full, size, fit);
    const part: Part = fit === 'random_crop' ? randomPart(full, random) : { left: 0, top: 0, width: full.width, height: full.height };
    if (fit === 'random_crop') image.crop(part.left, part.top, part.width, part.height);
    const rgba = opaque(await image.rawPixels(), colorType);
    if (size === undefined) return { rgba, width: full.width, height: full.height };
    return await resized(library, library.Transformer.fromRgbaPixels(rgba, part.width, part.height), part, size, fit);
  } catch (error) {
    const { message } = error as Error;
    throw undecodable(path, message.replace(/^(Guess format from input|Decode) image failed /, '').trim(), error);
  }
}

/** Scales an opaque image with the bilinear filter that widens as it shrinks: Pillow's, within a level of 255. */
async function resized(
  { FastResizeFilter, ResizeFit }: Library,
  image: ImageTransformer,
  from: Extent,
  size: Extent,
  fit: ImageOptions['fit'],
): Promise<Decoded> {
  const { scaled, middle } = fit === 'crop' ? cover(from, size) : { scaled: size, middle: undefined };
  image.fastResize({ width: scaled.width, height: scaled.height, filter: FastResizeFilter.Bilinear, fit: ResizeFit.Fill });
  if (middle !== undefined) image.crop(middle.left, middle.top, middle.width, middle.height);
  return { rgba: await image.rawPixels(), width: size.width, height: size.height };
}

function undecodable(path: string, reason: string, cause?: unknown): DataError {
  return new DataError(`${path} cannot be decoded as an image: ${reason}. Is it truncated, or of another format?`, { cause });
}

/** value × scale + shift, per channel: bytes to 0…1, then normalised. */
function scaling(channels: number, normalize: ImageOptions['normalize']): [scale: number[], shift: number[]] {
  const mean = normalize?.mean ?? new Array<number>(channels).fill(0);
  const std = normalize?.std ?? new Array<number>(channels).fill(1);
  return [std.map((s) => 1 / 255 / s), mean.map((m, i) => -m / std[i]!)];
}
