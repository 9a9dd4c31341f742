import { BadRecords, type OnBadRecord } from '../../bad-records.js';
import { Dataset } from '../../dataset.js';
import { DataError } from '../../../errors.js';
import { expandPaths, type Paths } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { notice } from '../../notice.js';
import { hashKey, RandomStream } from '../../random.js';
import { randomStage } from '../../random-access.js';
import { listClassFolder } from '../class-folder.js';
import { imageDecoder, type ImageOptions } from './decode.js';

export type { ImageOptions } from './decode.js';

/** Image files that are found in folders. */
export const imageExtensions = ['.jpg', '.jpeg', '.png', '.webp'] as const;

/** How {@link fromImageFolder} and {@link fromImages} read. */
export interface ImageFolderOptions extends ImageOptions {
  /** Seed of flips and random crops, which differ between images and passes; default 0. */
  readonly seed?: number;
  /** Images decoded at a time; default 4. Does not change their order. */
  readonly parallel?: number;
  /**
   * What to do with a file that cannot be decoded; default `'error'`. With `{ skip: N }` up to N different files are left out, each
   * with a notice; the data set can then only be read in order.
   */
  readonly onBadRecord?: OnBadRecord;
}

type Image<O> = NDArray<O extends { readonly dtype: 'uint8' } ? 'uint8' : 'float32'>;

/**
 * Images (JPEG, PNG, WebP) of a folder with one sub-folder per class: `[image [height, width, channels], label int32]`, labels
 * by the sorted names of the sub-folders. Files are decoded when they are asked for, in any order. Needs the package `sharp`.
 */
export function fromImageFolder<const O extends ImageFolderOptions>(
  folder: string,
  options?: O,
): Dataset<[image: Image<O>, label: NDArray<'int32'>]> {
  const { paths, labels } = listClassFolder(folder, imageExtensions);
  return images<[Image<O>, NDArray<'int32'>]>(`images ${folder}`, paths, options ?? {}, (image, index) => [
    image as Image<O>,
    NDArray.scalar(labels[index]!, 'int32'),
  ]);
}

/** The images of the given files, in order, without labels. */
export function fromImages<const O extends ImageFolderOptions>(paths: Paths, options?: O): Dataset<Image<O>> {
  const files = expandPaths(paths);
  return images<Image<O>>(`images ${files[0]}`, files, options ?? {}, (image) => image as Image<O>);
}

const BAD = Symbol('bad image');

function images<T>(
  label: string,
  paths: readonly string[],
  options: ImageFolderOptions,
  make: (image: NDArray, index: number) => T,
): Dataset<T> {
  const { seed = 0, parallel = 4, onBadRecord = 'error' } = options;
  const decode = imageDecoder(options);
  const stageOf = <E>(at: (pass: number, position: number) => Promise<E>) =>
    new Dataset(randomStage<E>(`${label}(${paths.length})`, { length: paths.length, readAhead: parallel, at }));
  const one = async (pass: number, index: number): Promise<T> =>
    make(await decode(paths[index]!, new RandomStream(hashKey(seed, pass, index))), index);
  if (onBadRecord === 'error') return stageOf(one);
  const bad = new BadRecords(onBadRecord);
  const seen = new Set<string>();
  const checked = async (pass: number, index: number): Promise<T | typeof BAD> => {
    try {
      return await one(pass, index);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (!seen.has(paths[index]!)) {
        bad.report(error);
        seen.add(paths[index]!);
        notice(`${label}: left out bad file ${seen.size}: ${error.message}`);
      }
      return BAD;
    }
  };
  return stageOf(checked).filter((element): element is T & (T | typeof BAD) => element !== BAD) as Dataset<T>;
}
