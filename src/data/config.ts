/** Configuration of a data pipeline. Names and defaults are Model Garden's. */
import {
  defineConfig,
  extendConfig,
  field,
  type ConfigInput,
  type ConfigInputOf,
  type ConfigOf,
  type ConfigSchema,
  type ConfigValues,
  type Extended,
  type FieldLikes,
} from '../config/index.js';
import { isRegistered } from './named/registry.js';

const NO_SERVICE = 'there is no data service here: batches are made in this process';
const NOT_REGISTERED = 'no data set of that name is registered (registerDataset); give files with input_path';
const NOTHING_ENCODED = 'registered data sets have no encoded features';

/** Where the examples come from and how they become batches. */
export const dataConfig = defineConfig(
  {
    /** Files or patterns to read: one text (commas separate several), a list of texts, or a mapping of names to either. */
    input_path: field.union(
      [field.string(), field.list(field.string()), field.record(field.union([field.string(), field.list(field.string())]))],
      '',
    ),
    /** Name of a registered dataset (`mnist`, `iris`, `sonnets`, or one's own) to read instead of files, or a mapping of names; empty: files. */
    tfds_name: field.union([field.string(), field.record(field.string())], '').refused(NOT_REGISTERED, (name) => !isRegistered(name)),
    /** Split of the registered dataset, such as `train[:90%]`. */
    tfds_split: field.string(''),
    /** Examples in one batch over all replicas. */
    global_batch_size: field.int(0).min(0),
    /** Whether the data are for training, that is shuffled and repeated; null: not said. */
    is_training: field.bool().optional(),
    /** Drop the last batch of an epoch when it is not full. */
    drop_remainder: true,
    /** Examples from which the next one is drawn at random, where data are read as a stream; data with known positions are shuffled as a whole. */
    shuffle_buffer_size: field.int(100).min(0),
    /** Keep decoded and parsed examples in memory after the first epoch; they are shuffled after that. */
    cache: false,
    /** Files read in turn at the same time; null: all, 16 at most. */
    cycle_length: field.int().optional(),
    /** Records taken from one file before the next file's turn. */
    block_length: field.int(1).min(1),
    /** Memory that automatic tuning may use, in GB; null: not limited. */
    ram_budget: field.int().optional().noEffect('the pipeline is not tuned automatically'),
    /** Keep the order of examples the same in every run; null: yes. */
    deterministic: field.bool().optional(),
    /** Let every input pipeline read its own share of the data. */
    sharding: true,
    /** Make batches in a separate data service. */
    enable_tf_data_service: field.bool(false).refused(NO_SERVICE),
    /** Address of the data service. */
    tf_data_service_address: field.string().optional().refused(NO_SERVICE),
    /** Name of a job that several readers of the data service share. */
    tf_data_service_job_name: field.string().optional().refused(NO_SERVICE),
    /** Directory of the registered dataset; empty: wherever it has its data. */
    tfds_data_dir: field.string(''),
    /** Read (input, label) pairs instead of mappings from a registered dataset. */
    tfds_as_supervised: field.bool(false),
    /** Comma-separated features of a registered dataset that stay encoded. */
    tfds_skip_decoding_feature: field.string('').refused(NOTHING_ENCODED),
    /** Share one data service between several trainers. */
    enable_shared_tf_data_service_between_parallel_trainers: field.bool(false).refused(NO_SERVICE),
    /** Apply the data service before batching. */
    apply_tf_data_service_before_batching: field.bool(false).refused(NO_SERVICE),
    /** Name of this trainer at a shared data service. */
    trainer_id: field.string().optional().refused(NO_SERVICE),
    /** Seed of the shuffling; null: that of the run. */
    seed: field.int().optional(),
    /** Batches made ahead of their use; null or 0: two. */
    prefetch_buffer_size: field.int().optional(),
    /** Name of the algorithm of automatic tuning. */
    autotune_algorithm: field.string().optional().noEffect('the pipeline is not tuned automatically'),
  },
  { name: 'DataConfig' },
);
/** See {@link dataConfig}. */
export type DataConfig = ConfigOf<typeof dataConfig>;
/** What {@link dataConfig} accepts. */
export type DataConfigInput = ConfigInputOf<typeof dataConfig>;

/** Declares a data config with the base fields and `fields` besides. */
export function extendDataConfig<F extends FieldLikes>(
  fields: F,
  options: { readonly name: string },
): ConfigSchema<Extended<DataConfig, ConfigValues<F>>, Extended<DataConfigInput, ConfigInput<F>>> {
  return extendConfig(dataConfig, fields, options);
}
