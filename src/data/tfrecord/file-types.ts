import { DataError, UsageError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { encodeExample, TfExampleBuilder, type Example } from './example.js';
import { recordsOf } from './read.js';
import { writeTfRecords } from './write.js';

/** Reads the records of one or several files. */
export type DatasetFn<T = Uint8Array> = (paths: string | readonly string[]) => Dataset<T>;

/** The reader for a type of record files: `tfrecord`, or `tfrecord_compressed` (gzip). Throws a {@link UsageError} for another one. */
export function pickDatasetFn(fileType: string): DatasetFn {
  if (fileType === 'tfrecord') return (paths) => recordsOf(paths);
  if (fileType === 'tfrecord_compressed') return (paths) => recordsOf(paths, { compression: 'gzip' });
  throw new UsageError(
    `There is no reader for the file type ${JSON.stringify(fileType)}; expected tfrecord or tfrecord_compressed. Other formats have a reader: datasetFn: (paths) => fromCsv(paths).`,
  );
}

/**
 * Writes examples (messages, builders or encoded bytes) to one record file. `fileType`, in any case: `tfrecord`, `tfrecords`,
 * or `tfrecord_compressed`, `tfrecords_gzip` for gzip. Throws a {@link UsageError} for another type, a {@link DataError} where writing fails.
 */
export async function writeSmallDataset(
  examples: Iterable<Example | TfExampleBuilder | Uint8Array>,
  path: string,
  fileType = 'tfrecord',
): Promise<void> {
  const compression = fileTypes[fileType.toLowerCase()];
  if (compression === undefined) {
    throw new UsageError(`Cannot write files of type ${JSON.stringify(fileType)}; expected one of ${Object.keys(fileTypes).join(', ')}.`);
  }
  await writeTfRecords(path, encoded(examples), { compression });
}

const fileTypes: Readonly<Record<string, 'none' | 'gzip'>> = {
  tfrecord: 'none',
  tfrecords: 'none',
  tfrecord_compressed: 'gzip',
  tfrecords_gzip: 'gzip',
};

function* encoded(examples: Iterable<Example | TfExampleBuilder | Uint8Array>): Generator<Uint8Array> {
  let index = 0;
  for (const example of examples) {
    if (example instanceof Uint8Array) yield example;
    else if (example instanceof TfExampleBuilder) yield example.serializedExample;
    else if (example instanceof Map) yield encodeExample(example);
    else throw new DataError(`Example ${index} is neither a map of features, a TfExampleBuilder nor bytes.`);
    index++;
  }
}
