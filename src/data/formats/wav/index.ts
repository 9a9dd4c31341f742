import { readFile } from 'node:fs/promises';

import { DataError, UsageError } from '../../../errors.js';
import { readerOptions, type OptionKinds } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { cannotRead, expandPaths, type Paths } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { checkValues, type ValueRules } from '../../value-rules.js';
import { listClassFolder, type ClassOptions } from '../class-folder.js';
import { known } from '../known-options.js';
import { fileElements, type FileElementOptions } from '../file-elements.js';
import { decodeWav, type Sound } from './decode.js';

export type { Sound } from './decode.js';

/** How sound files are read. */
export interface WavOptions extends FileElementOptions, Pick<ValueRules, 'allowNaN'> {
  /** Frames of every element: longer sounds are cut at the end, shorter ones filled with silence. Left out: their own length. */
  readonly frames?: number;
  /** Frames per second that every file must have; another rate is a DataError. Left out: not checked. */
  readonly sampleRate?: number;
}

const kinds: OptionKinds<WavOptions> = { ...known.files, frames: 'value', sampleRate: 'value', allowNaN: 'switch' };

/** Reads a WAV file whole. Throws a {@link DataError} where it is missing, truncated or of another format. */
export async function readWav(path: string): Promise<Sound> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  return decodeWav(bytes, path);
}

/** The sounds of WAV files, float32[frames, channels], read when they are asked for, in any order. */
export function fromWav(paths: Paths, options?: WavOptions): Dataset<NDArray<'float32'>> {
  const own = readerOptions(options, 'fromWav', kinds);
  const files = expandPaths(paths);
  return sounds(`wav ${files[0]}`, files, own, (sound) => sound);
}

/**
 * WAV files of a folder with one sub-folder per class: `[sound float32[frames, channels], label int32]`, labels by the sorted
 * names of the sub-folders, or by `classes`.
 */
export function fromWavFolder(
  folder: string,
  options?: WavOptions & ClassOptions,
): Dataset<[sound: NDArray<'float32'>, label: NDArray<'int32'>]> {
  const own = readerOptions<WavOptions & ClassOptions>(options, 'fromWavFolder', { ...kinds, ...known.classes });
  const { paths, labels } = listClassFolder(folder, ['.wav'], own.classes);
  return sounds(`wav ${folder}`, paths, own, (sound, index): [NDArray<'float32'>, NDArray<'int32'>] => [
    sound,
    NDArray.scalar(labels[index]!, 'int32'),
  ]);
}

function sounds<T>(
  label: string,
  paths: readonly string[],
  options: WavOptions,
  make: (sound: NDArray<'float32'>, index: number) => T,
): Dataset<T> {
  const { frames, sampleRate } = options;
  if (frames !== undefined && !(Number.isSafeInteger(frames) && frames > 0))
    throw new UsageError(`frames is ${frames}, expected a whole number of at least 1.`);
  return fileElements(label, paths, options, async (_, index) => {
    const path = paths[index]!;
    const sound = await readWav(path);
    if (sampleRate !== undefined && sound.sampleRate !== sampleRate) {
      throw new DataError(`${path} has ${sound.sampleRate} frames per second, but ${sampleRate} were expected. Convert it.`);
    }
    if (sound.samples.size === 0) throw new DataError(`${path} holds no sound: it has 0 frames.`);
    checkValues(() => path, sound.samples.data, 'float32', options);
    return make(frames === undefined ? sound.samples : fitted(sound.samples, frames), index);
  });
}

function fitted({ data, shape }: NDArray<'float32'>, frames: number): NDArray<'float32'> {
  const channels = shape[1]!;
  const made = new Float32Array(frames * channels);
  made.set(data.subarray(0, made.length));
  return new NDArray(made, [frames, channels], 'float32');
}
