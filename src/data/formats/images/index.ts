import { readerOptions, type OptionKinds } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { expandPaths, type Paths } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { hashKey, RandomStream } from '../../random.js';
import { listClassFolder, type ClassOptions } from '../class-folder.js';
import { known } from '../known-options.js';
import { fileElements, type FileElementOptions } from '../file-elements.js';
import { imageDecoder, type ImageOptions } from './decode.js';

export type { ImageOptions } from './decode.js';

/** Image files that are found in folders. */
export const imageExtensions = ['.jpg', '.jpeg', '.png', '.webp'] as const;

/** How {@link fromImageFolder} and {@link fromImages} read. */
export interface ImageFolderOptions extends ImageOptions, FileElementOptions {
  /** Seed of flips and random crops, which differ between images and passes; default 0. */
  readonly seed?: number;
}

const kinds: OptionKinds<ImageFolderOptions> = {
  ...known.files,
  size: 'value',
  fit: 'value',
  flip: 'switch',
  channels: 'value',
  dtype: 'value',
  normalize: 'value',
  seed: 'value',
};

type Image<O> = NDArray<O extends { readonly dtype: 'uint8' } ? 'uint8' : 'float32'>;

/**
 * Images (JPEG, PNG, WebP) of a folder with one sub-folder per class: `[image [height, width, channels], label int32]`, labels
 * by the sorted names of the sub-folders, or by `classes`. Files are decoded when they are asked for, in any order. Needs the package `sharp`.
 */
export function fromImageFolder<const O extends ImageFolderOptions & ClassOptions>(
  folder: string,
  options?: O,
): Dataset<[image: Image<O>, label: NDArray<'int32'>]> {
  const { classes, ...own } = readerOptions<ImageFolderOptions & ClassOptions>(options, 'fromImageFolder', { ...kinds, ...known.classes });
  const { paths, labels } = listClassFolder(folder, imageExtensions, classes);
  return images<[Image<O>, NDArray<'int32'>]>(`images ${folder}`, paths, own, (image, index) => [
    image as Image<O>,
    NDArray.scalar(labels[index]!, 'int32'),
  ]);
}

/** The images of the given files, in order, without labels. */
export function fromImages<const O extends ImageFolderOptions>(paths: Paths, options?: O): Dataset<Image<O>> {
  const own = readerOptions<ImageFolderOptions>(options, 'fromImages', kinds);
  const files = expandPaths(paths);
  return images<Image<O>>(`images ${files[0]}`, files, own, (image) => image as Image<O>);
}

function images<T>(
  label: string,
  paths: readonly string[],
  options: ImageFolderOptions,
  make: (image: NDArray, index: number) => T,
): Dataset<T> {
  const { seed = 0 } = options;
  const decode = imageDecoder(options);
  return fileElements(label, paths, options, async (pass, index) =>
    make(await decode(paths[index]!, new RandomStream(hashKey(seed, pass, index))), index),
  );
}
