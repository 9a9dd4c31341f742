import { ConfigError } from '../../errors.js';
import type { DataConfig } from '../config.js';
import type { Dataset } from '../dataset.js';
import { fromItems } from '../from.js';
import { notice } from '../notice.js';
import type { DatasetFn } from '../tfrecord/file-types.js';
import type { InputPipeline } from './options.js';

/** Files that a null `cycle_length` reads in turn at most. */
const AUTOMATIC_CYCLE_LENGTH = 16;

/** The records, or files, of one input pipeline, for ever in training. */
export function shareOf<T>(records: Dataset<T>, params: DataConfig, context: InputPipeline | undefined): Dataset<T> {
  const { numInputPipelines: pipelines = 1, inputPipelineId: pipeline = 0 } = context ?? {};
  const own = params.sharding && pipelines > 1 ? records.shard(pipelines, pipeline) : records;
  return params.is_training === true && !params.cache ? own.repeat() : own;
}

/**
 * The records of files for one input pipeline: its share of the records where there is one file, or fewer files than pipelines;
 * else the records of its share of the files, read in turn.
 */
export function readFiles<R>(
  files: readonly string[],
  params: DataConfig,
  context: InputPipeline | undefined,
  datasetFn: DatasetFn<R>,
): Dataset<R> {
  const pipelines = context?.numInputPipelines ?? 1;
  if (files.length === 1 || files.length < pipelines) {
    if (files.length > 1) {
      notice(
        `There are ${files.length} files for ${pipelines} input pipelines: every pipeline reads all of them and keeps its share of the records.`,
      );
    }
    return shareOf(datasetFn(files.length === 1 ? files[0]! : files), params, context);
  }
  const cycleLength = params.cycle_length ?? Math.min(files.length, AUTOMATIC_CYCLE_LENGTH);
  if (cycleLength < 1)
    throw new ConfigError(`cycle_length is ${cycleLength}; at least 1, or null, was expected.`, { path: 'cycle_length' });
  let list = fromItems(files);
  if (params.is_training === true)
    list = list.shuffle({ bufferSize: Math.max(2, files.length), seed: params.seed ?? 0, reshuffleEachIteration: !params.cache });
  return shareOf(list, params, context).interleave(datasetFn, { cycleLength, blockLength: params.block_length });
}
