import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Transformer } from '@napi-rs/image';
import { DataError } from '../../../errors.js';
import { cannotRead, optionalPackage, otherFormat } from '../../files/index.js';
import type { RandomStream } from '../../random.js';
import { cover, randomPart, type Extent } from './fit.js';
import { jpegHeader } from './jpeg-header.js';
import { layoutOf, opaque } from './pixels.js';
import { Turns } from './turns.js';
import { webpComplete } from './webp-header.js';

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

const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;

/** Images that go through in one task at a time: enough that no thread of the pool waits while this one is busy. */
const photographs = new Turns(2 * threads);

/** Images that take several tasks, decoded between them, at a time: as many as find a thread and a core. */
const others = new Turns(Math.min(threads, availableParallelism() + 1));

/**
 * Reads an image and scales it to `target` (its own extent, where left out), the decoding and scaling on other threads. `random`
 * chooses the part of a random crop. Throws {@link DataError}s that name the file.
 */
export async function readScaled(path: string, target: Target | undefined, random: RandomStream): Promise<Scaled> {
  const library = await (loading ??= optionalPackage<Library>('@napi-rs/image', 'Reading images'));
  const bytes = await readFile(path).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  if (bytes.length === 0) throw undecodable(path, 'the file is empty');
  const jpeg = jpegHeader(bytes);
  if (jpeg?.complete === false || !webpComplete(bytes)) throw undecodable(path, 'the file ends in the middle of the image');
  try {
    // A photograph, opaque and of an extent that is known, goes through in one task of another thread: nothing of it waits decoded.
    if (target !== undefined && target.fit !== 'random_crop' && jpeg !== undefined && jpeg.width * jpeg.height > 0) {
      return await photographs.run(() => scale(library, holding(new library.Transformer(bytes), jpeg), jpeg, target));
    }
    return await others.run(() => decode(library, bytes, target, random));
  } catch (error) {
    const { message } = error as Error;
    const other = otherFormat(bytes, 'fromImages');
    throw undecodable(path, message.replace(/^(Guess format from input|Decode) image failed /, '').replace(/\.?\s*$/, ''), error, other);
  }
}

async function decode(library: Library, bytes: Uint8Array, target: Target | undefined, random: RandomStream): Promise<Scaled> {
  const image = new library.Transformer(bytes);
  const { colorType, width, height } = await image.metadata(); // decodes; what follows does not do so again
  holding(image, { width, height });
  const layout = layoutOf(colorType);
  if (layout === undefined) throw new Error('it holds floating-point pixels');
  const transparent = layout.samples % 2 === 0;
  if (target !== undefined && target.fit !== 'random_crop' && !transparent) return scale(library, image, { width, height }, target);
  const part = target?.fit === 'random_crop' ? randomPart({ width, height }, random) : undefined;
  if (part !== undefined) image.crop(part.left, part.top, part.width, part.height);
  const rgba = opaque(await image.rawPixels(), colorType);
  if (target === undefined) return { rgba, width, height };
  const from = part ?? { width, height };
  return scale(library, holding(library.Transformer.fromRgbaPixels(rgba, from.width, from.height), from), from, target);
}

/** What stands for the memory of native objects, alive as long as they are. */
const held = new WeakMap<Transformer, Buffer>();

/**
 * Tells V8 of the decoded pixels that an object of the library holds until it is collected: such objects are small in JavaScript, and
 * gigabytes of large images would pile up. A buffer's size counts; its pages, which nobody touches, take no memory.
 */
function holding(image: Transformer, { width, height }: Extent): Transformer {
  held.set(image, Buffer.allocUnsafeSlow(width * height * 4));
  return image;
}

/** Scales an opaque image with the bilinear filter that widens as it shrinks: Pillow's, within a level of 255. */
async function scale({ FastResizeFilter, ResizeFit }: Library, image: Transformer, from: Extent, target: Target): Promise<Scaled> {
  const { width, height } = target;
  const { scaled, middle } = target.fit === 'crop' ? cover(from, { width, height }) : { scaled: target, middle: undefined };
  image.fastResize({ width: scaled.width, height: scaled.height, filter: FastResizeFilter.Bilinear, fit: ResizeFit.Fill });
  if (middle !== undefined) image.crop(middle.left, middle.top, width, height);
  return { rgba: await image.rawPixels(), width, height };
}

function undecodable(path: string, reason: string, cause?: unknown, other = ''): DataError {
  const likely = other === '' ? ' Is it truncated, or of another format?' : other;
  return new DataError(`${path} cannot be decoded as an image: ${reason}.${likely}`, { cause });
}
