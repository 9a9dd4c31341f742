import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Transformer } from '@napi-rs/image';
import { DataError } from '../../../errors.js';
import { cannotRead, optionalPackage } from '../../files/index.js';
import type { RandomStream } from '../../random.js';
import { cover, randomPart, type Extent } from './fit.js';
import { isCutJpeg } from './jpeg-end.js';
import { layoutOf, opaque } from './pixels.js';
import { Turns } from './turns.js';

/** The extent that an image shall get, and how. */
export interface Target extends Extent {
  /** See `ImageOptions`. */
  readonly fit: 'stretch' | 'crop' | 'random_crop';
}

/** An image in memory. */
export interface Scaled extends Extent {
  /** Four bytes a pixel, the fourth without meaning. */
  readonly rgba: Uint8Array;
}

type Library = typeof import('@napi-rs/image');
let loading: Promise<Library> | undefined;

/** Images decoded at a time, as many as find a thread of the pool and a core: more would only wait in memory. */
const turns = new Turns(Math.min(Number(process.env['UV_THREADPOOL_SIZE']) || 4, availableParallelism() + 1));

/**
 * Reads an image and scales it to `target` (its own extent, where left out), the decoding and scaling on other threads. `random`
 * chooses the part of a random crop. Throws {@link DataError}s that name the file.
 */
export async function readScaled(path: string, target: Target | undefined, random: RandomStream): Promise<Scaled> {
  const library = await (loading ??= optionalPackage<Library>('@napi-rs/image', 'Reading images'));
  return turns.run(async () => {
    const bytes = await readFile(path).catch((error: unknown) => {
      throw cannotRead(path, error);
    });
    if (bytes.length === 0) throw undecodable(path, 'the file is empty');
    if (isCutJpeg(bytes)) throw undecodable(path, 'the file ends in the middle of the image');
    try {
      return await decode(library, bytes, target, random);
    } catch (error) {
      const { message } = error as Error;
      throw undecodable(path, message.replace(/^(Guess format from input|Decode) image failed /, '').trim(), error);
    }
  });
}

async function decode(library: Library, bytes: Uint8Array, target: Target | undefined, random: RandomStream): Promise<Scaled> {
  const image = new library.Transformer(bytes);
  const { colorType, width, height } = await image.metadata(); // decodes; what follows does not do so again
  accountFor(width * height * 4);
  const layout = layoutOf(colorType);
  if (layout === undefined) throw new Error('it holds floating-point pixels');
  const transparent = layout.samples % 2 === 0;
  if (target !== undefined && target.fit !== 'random_crop' && !transparent) return scale(library, image, { width, height }, target);
  const part = target?.fit === 'random_crop' ? randomPart({ width, height }, random) : undefined;
  if (part !== undefined) image.crop(part.left, part.top, part.width, part.height);
  const rgba = opaque(await image.rawPixels(), colorType);
  if (target === undefined) return { rgba, width, height };
  const from = part ?? { width, height };
  accountFor(rgba.length);
  return scale(library, library.Transformer.fromRgbaPixels(rgba, from.width, from.height), from, target);
}

/** Bytes that native objects took since V8 was last told. */
let untold = 0;
const TOLD_AT_ONCE = 2 ** 25;

/**
 * Tells V8 of memory that a native object holds until it is collected, now and then. Otherwise decoded images pile up, gigabytes of
 * large ones, since their JavaScript objects are small. A buffer's size counts; its pages, which nobody touches, take no memory.
 */
function accountFor(bytes: number): void {
  untold += bytes;
  if (untold < TOLD_AT_ONCE) return;
  new ArrayBuffer(untold);
  untold = 0;
}

/** Scales an opaque image with the bilinear filter that widens as it shrinks: Pillow's, within a level of 255. */
async function scale({ FastResizeFilter, ResizeFit }: Library, image: Transformer, from: Extent, target: Target): Promise<Scaled> {
  const { width, height } = target;
  const { scaled, middle } = target.fit === 'crop' ? cover(from, { width, height }) : { scaled: target, middle: undefined };
  image.fastResize({ width: scaled.width, height: scaled.height, filter: FastResizeFilter.Bilinear, fit: ResizeFit.Fill });
  if (middle !== undefined) image.crop(middle.left, middle.top, width, height);
  return { rgba: await image.rawPixels(), width, height };
}

function undecodable(path: string, reason: string, cause?: unknown): DataError {
  return new DataError(`${path} cannot be decoded as an image: ${reason}. Is it truncated, or of another format?`, { cause });
}
