import { isConfig } from '../../config/index.js';
import { ConfigError, UsageError } from '../../errors.js';
import { didYouMean, nearestName } from '../../nearest-name.js';
import { optionsOf } from '../arguments.js';
import { dataConfig, type DataConfig } from '../config.js';
import { InWorker, refuseClosure } from '../workers/index.js';
import type { Files, InputReaderOptions } from './options.js';

const OPTIONS = [
  ...['datasetFn', 'decoderFn', 'combineFn', 'sampleFn', 'parserFn', 'filterFn', 'transformAndBatchFn', 'postprocessFn'],
  ...['params', 'workers', 'timeoutSeconds', 'pseudoLabelDatasetFn'],
];

/** A data config as it is; a plain object (a copy of one, with other values) becomes one by its known fields, checked and filled up. */
export function asDataConfig(params: DataConfig): DataConfig {
  if (isConfig(params)) return params;
  const known = Object.keys(dataConfig());
  for (const name of Object.keys(params)) {
    const near = known.includes(name) ? null : nearestName(name, known);
    if (near !== null && !(near in params))
      // a copy of a config has all fields, and may have others besides
      throw new ConfigError(`${name}: no such field in DataConfig.${didYouMean(near)}`, { path: name });
  }
  return dataConfig(Object.fromEntries(Object.entries(params).filter(([name]) => known.includes(name))));
}

/** Refuses what is no set of options: a config by itself, a stage of another name, a stage that is no function. */
export function checkOptions(options: unknown): void {
  if (!isMapping(options) || isConfig(options) || !isMapping(options['params']))
    throw new UsageError('An InputReader is made of options with a data config: new InputReader({ params: dataConfig({ … }), parserFn }).');
  for (const [name, value] of Object.entries(optionsOf(options, 'InputReader', OPTIONS))) {
    if (name.endsWith('Fn') && value !== undefined && typeof value !== 'function' && !(value instanceof InWorker))
      throw new UsageError(`${name} of an InputReader is ${JSON.stringify(value)}; a function was expected.`);
  }
}

/** Refuses configs that name no source or too many. */
export function checkSources({ input_path: inputPath, tfds_name: tfdsName }: DataConfig, canCombine: boolean): void {
  if (isSet(inputPath) && isSet(tfdsName)) {
    throw new ConfigError('input_path and tfds_name are both set; give one source of data.', { path: 'tfds_name' });
  }
  if ((isMapping(inputPath) || isMapping(tfdsName)) && !canCombine) {
    const path = isMapping(inputPath) ? 'input_path' : 'tfds_name';
    throw new ConfigError(`${path} names several sources, so a combineFn is needed to make one data set of them.`, { path });
  }
}

/** Refuses a type of files that nothing reads: without `datasetFn`, files are plain record files. */
export function checkFileType(params: DataConfig, datasetFn: unknown): void {
  const { file_type: fileType } = params as DataConfig & { readonly file_type?: unknown };
  if (datasetFn !== undefined || !isSet(params.input_path) || !isSet(fileType) || fileType === 'tfrecord') return;
  const records = fileType === 'tfrecord_compressed';
  const fix = records ? 'datasetFn: pickDatasetFn(params.file_type)' : 'datasetFn: (paths) => fromCsv(paths)';
  throw new ConfigError(
    `file_type is ${JSON.stringify(fileType)}, but without datasetFn an InputReader reads plain record files: give ${fix}${records ? '' : ', or the reader of your format'}.`,
    { path: 'file_type' },
  );
}

/** Workers without a function that could run there are a misunderstanding. */
export function checkWorkers<R, D, E, B, P>({
  workers,
  decoderFn,
  parserFn,
  filterFn,
  postprocessFn,
}: InputReaderOptions<R, D, E, B, P>): void {
  const functions = Object.entries({ parserFn, decoderFn, filterFn, postprocessFn }).filter(([, fn]) => fn !== undefined);
  const first = functions[0];
  if (workers === undefined || workers === 0 || first === undefined || functions.some(([, fn]) => fn instanceof InWorker)) return;
  refuseClosure(first[0], workers);
}

/** Whether a field that may name a source does. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

/** Whether a field names several sources. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether files are those of one source. */
export function isList(files: Files): files is readonly string[] {
  return Array.isArray(files);
}
