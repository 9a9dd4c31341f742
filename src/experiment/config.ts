/** Configuration of an experiment: task, trainer and runtime. Names and defaults are Model Garden's. */
import {
  addRestrictions,
  cloneConfig,
  defineConfig,
  extendConfig,
  field,
  type AnyConfigSchema,
  type ConfigInput,
  type ConfigInputOf,
  type ConfigOf,
  type ConfigSchema,
  type ConfigValues,
  type Extended,
  type FieldLikes,
} from '../config/index.js';
import { dataConfig } from '../data/config.js';
import { optimizationConfig } from '../optimization/config.js';
import { earlyStoppingConfig, reduceOnPlateauConfig } from './plateau-config.js';

export type { DataConfig } from '../data/config.js';
export type { OptimizationConfig } from '../optimization/config.js';

const ALWAYS_COMPILED = 'steps are always compiled; set runtime.run_eagerly to run them uncompiled';
const ONE_PROCESS = 'training over several processes or devices is not available yet';
const NO_TPU = 'there is no TPU support; leave it out to run on the CPU';

/** Differential privacy of the gradients of a batch (not of its examples one by one). */
export const differentialPrivacyConfig = defineConfig(
  {
    /** Largest L2 norm of all gradients of a batch together; they are scaled down to it. */
    clipping_norm: field.float(1e8),
    /** Standard deviation of the normal noise that is added to every gradient, as a multiple of `clipping_norm`; 0: no noise. */
    noise_multiplier: field.float(0),
  },
  { name: 'DifferentialPrivacyConfig' },
);
/** See {@link differentialPrivacyConfig}. */
export type DifferentialPrivacyConfig = ConfigOf<typeof differentialPrivacyConfig>;

/** Averaging of the weights of many steps, each with the same share. */
export const stochasticWeightAveragingConfig = defineConfig(
  {
    /** Step of the first weights that are averaged. */
    start_step: field.int(0).min(0),
    /** Steps between two weights that are averaged; each is taken at the end of the training loop that reaches its step. */
    every_n_steps: field.int(1000).min(1),
    /** Average trainable variables only, not statistics such as those of batch normalisation. */
    trainable_weights_only: false,
  },
  { name: 'StochasticWeightAveragingConfig' },
);

/** The fields that every task has. Own tasks add theirs with {@link taskConfig}. */
export const baseTaskConfig = defineConfig(
  {
    /** Checkpoint, or directory of checkpoints, from which a fresh model is initialised; empty: none. */
    init_checkpoint: '',
    /** The model; its fields depend on the task. */
    model: field.record().optional(),
    /** Data for training. */
    train_data: dataConfig,
    /** Data for evaluation. */
    validation_data: dataConfig,
    /** Name of the task; null: the name of its class. */
    name: field.string().optional(),
    /** Clips the gradients of each batch and adds noise to them; null: neither. */
    differential_privacy_config: field.config(differentialPrivacyConfig).optional(),
    /** Write images as well when evaluation summaries are written. */
    allow_image_summary: field.bool(false).refused('image summaries are not available yet'),
  },
  { name: 'TaskConfig' },
);
/** See {@link baseTaskConfig}. */
export type TaskConfig = ConfigOf<typeof baseTaskConfig>;
/** Any schema whose configs are task configs: what `Task<typeof spamTask>` and `registerTask` accept. */
export type TaskSchema<T extends TaskConfig = TaskConfig> = AnyConfigSchema<T>;

/** The training and evaluation loops. */
export const trainerConfig = defineConfig(
  {
    /** Optimizer, learning rate, warm-up and averaging. */
    optimizer_config: optimizationConfig,
    /** Make every training loop as long as asked for: data that end inside one are an error. False ends the loop early instead. */
    train_tf_while_loop: true,
    /** Compile the training step. */
    train_tf_function: field.bool(true).noEffect(ALWAYS_COMPILED),
    /** Compile the evaluation step. */
    eval_tf_function: field.bool(true).noEffect(ALWAYS_COMPILED),
    /** Make every evaluation as long as `validation_steps`, which must then be a number: data that end before are an error. */
    eval_tf_while_loop: false,
    /** Let only the first step of a training loop write summaries. */
    allow_tpu_summary: false,
    /** Training steps between two returns to the outer loop, where logs, summaries and checkpoints are made. */
    steps_per_loop: field.int(1000).min(1),
    /** Training steps between two summaries; a multiple of `steps_per_loop`. */
    summary_interval: field.int(1000),
    /** Training steps between two checkpoints. */
    checkpoint_interval: field.int(1000),
    /** Checkpoints kept; the oldest is removed when there are more. */
    max_to_keep: field.int(5),
    /** Seconds that continuous evaluation waits for a new checkpoint before it ends; null: for ever. */
    continuous_eval_timeout: field.int(3600).optional(),
    /** Step at which training ends, counted from the very first run. */
    train_steps: field.int(0),
    /** Evaluation steps; -1: the whole validation set. */
    validation_steps: field.int(-1),
    /** Training steps between two evaluations. */
    validation_interval: field.int(1000),
    /** Sub-directory of the model directory that keeps the best checkpoint; empty: none is kept. */
    best_checkpoint_export_subdir: '',
    /** Metric that decides which checkpoint is best; nested names are joined with `|`. */
    best_checkpoint_eval_metric: '',
    /** Whether a higher or a lower value of the metric is better. */
    best_checkpoint_metric_comp: field.choice(['higher', 'lower'], 'higher'),
    /** Training loss above which a run counts as blown up. */
    loss_upper_bound: field.float(1e6),
    /** Step from which on the bound holds. */
    recovery_begin_steps: field.int(0),
    /** Returns to the last checkpoint that are allowed after a blow-up; 0: the first one ends the run, negative: losses are not watched. */
    recovery_max_trials: field.int(0),
    /** Sub-directory of the model directory for evaluation summaries. */
    validation_summary_subdir: 'validation',
    /** Where the training data of a resumed run start: after the last batch of the checkpoint (`continue`), or anew (`restart`). */
    resume_data: field.choice(['continue', 'restart'], 'continue'),
    /** Where the training data go on after a roll-back: with the next batch (`continue`), or where the checkpoint was (`rewind`). */
    recovery_data: field.choice(['continue', 'rewind'], 'continue'),
    /** Save a checkpoint when the process is told to end. */
    preemption_on_demand_checkpoint: true,
    /** Seconds from the signal to end until the process ends, whatever it has reached; 0: as long as it takes. */
    preemption_grace_seconds: field.float(60).min(0),
    /** File whose appearance tells the run to end, as SIGTERM does; empty: none. */
    preemption_file: '',
    /** Save as well when this many seconds have passed since the last checkpoint; 0: never. */
    checkpoint_interval_seconds: field.float(0).min(0),
    /** Save as well when this many epochs have ended since the last checkpoint; 0: never. */
    checkpoint_interval_epochs: field.int(0).min(0),
    /** Save a checkpoint when training ends with an error other than a blown-up loss. */
    checkpoint_on_exception: false,
    /** Keep one checkpoint for every so many hours, besides the newest `max_to_keep`; null: none. */
    keep_checkpoint_every_n_hours: field.float().optional(),
    /** Keep the checkpoints of every so many steps, besides the newest `max_to_keep`; null: none. */
    keep_checkpoint_every_n_steps: field.int().optional(),
    /** Batches whose gradients make one update: a step takes so many, and equals one with a batch of them all. Steps count updates. */
    grad_accumulation_steps: field.int(1).min(1),
    /** End the training when a result of the evaluations no longer gets better; null: no. */
    early_stopping: field.config(earlyStoppingConfig).optional(),
    /** Lower the learning rate when a result of the evaluations no longer gets better; null: no. */
    reduce_on_plateau: field.config(reduceOnPlateauConfig).optional(),
    /** Average the weights of many steps, to be evaluated in place of the last ones; null: no. */
    stochastic_weight_averaging: field.config(stochasticWeightAveragingConfig).optional(),
    /** Evaluate before the first step as well, in mode train_and_eval. */
    eval_at_start: false,
    /** Batches of validation data that are tried before training begins, so that a mistake in the evaluation shows at once; 0: none. */
    sanity_check_batches: field.int(0).min(0),
    /** Seconds after which training ends at the next step with a checkpoint; the next run goes on from there. null: no limit. */
    max_wall_seconds: field.float().min(0).optional(),
    /** A trial run of so many training and evaluation steps that leaves no files behind; 0: no. */
    fast_dev_run: field.int(0).min(0),
    /** Train on the first so many batches over and over, and evaluate on the same; 0: on all data. */
    overfit_batches: field.int(0).min(0),
    /** Write results also to `<model_dir>/logs`: as `csv`, `json_lines` or both. */
    loggers: field.list(field.choice(['csv', 'json_lines'])),
    /** When a loss is not a number, make the steps since the last checkpoint again to find the first bad tensor. */
    replay_non_finite: true,
    /** Keep so many checkpoints with the best `best_checkpoint_eval_metric`, besides the newest `max_to_keep`; 0: none. */
    keep_best_checkpoints: field.int(0).min(0),
  },
  { name: 'TrainerConfig' },
);
/** See {@link trainerConfig}. */
export type TrainerConfig = ConfigOf<typeof trainerConfig>;
/** What {@link trainerConfig} accepts. */
export type TrainerConfigInput = ConfigInputOf<typeof trainerConfig>;

/** Devices, precision and the process as a whole. */
export const runtimeConfig = defineConfig(
  {
    /** How the work is spread over devices; `off`, `one_device` and `mirrored` with `num_gpus: 0` use one replica on the CPU. */
    distribution_strategy: field
      .choice(['off', 'one_device', 'mirrored', 'multi_worker_mirrored', 'parameter_server', 'tpu'], 'mirrored')
      .refused(ONE_PROCESS, (name) => name === 'multi_worker_mirrored')
      .refused('parameter servers are not supported', (name) => name === 'parameter_server')
      .refused(NO_TPU, (name) => name === 'tpu'),
    /** Compile further with XLA. */
    enable_xla: field.bool(false).noEffect('there is no XLA; steps are compiled for ONNX Runtime'),
    /** Mode of the thread pool of GPU kernels. */
    gpu_thread_mode: field.string().optional().noEffect('ONNX Runtime chooses its GPU threads itself'),
    /** Threads of the input pipeline alone. */
    dataset_num_private_threads: field.int().optional().noEffect('the input pipeline has no threads of its own to count'),
    /** Threads of each GPU. */
    per_gpu_thread_count: field.int(0).noEffect('ONNX Runtime chooses its GPU threads itself'),
    /** Address of the TPU. */
    tpu: field
      .string()
      .optional()
      .refused(NO_TPU, (address) => address !== ''),
    /** GPUs to use. */
    num_gpus: field
      .int(0)
      .min(0)
      .refused('no GPU device is available; leave num_gpus at 0', (count) => count > 0),
    /** Comma-separated host:port of every worker. */
    worker_hosts: field
      .string()
      .optional()
      .refused(ONE_PROCESS, (hosts) => hosts !== ''),
    /** Index of this worker. */
    task_index: field.int(-1).refused(ONE_PROCESS, (index) => index > 0),
    /** Algorithm that sums gradients over replicas. */
    all_reduce_alg: field.string().optional().noEffect('there is one replica, so nothing is summed over replicas'),
    /** Packs into which gradients are split to be summed. */
    num_packs: field.int(1).noEffect('there is one replica, so nothing is summed over replicas'),
    /** Type of the computation; null: float32. */
    mixed_precision_dtype: field
      .choice(['float32', 'float16', 'bfloat16'])
      .optional()
      .noEffect('float32 is used', (dtype) => dtype !== 'float32'),
    /** Factor of the loss in float16: `dynamic` or a number; null: dynamic. */
    loss_scale: field
      .union([field.float(), field.choice(['dynamic'])])
      .optional()
      .noEffect('float32 is used, which needs no loss scaling'),
    /** Run steps uncompiled, on the interpreter: slow, for debugging. */
    run_eagerly: false,
    /** Faster batch normalisation on GPUs. */
    batchnorm_spatial_persistent: field.bool(false).noEffect('it is an option of GPU kernels that are not used'),
    /** Compiler option; null: the compiler's default. */
    tpu_enable_xla_dynamic_padder: field.bool().optional().noEffect('there is no TPU compiler'),
    /** Cores over which one replica is spread. */
    num_cores_per_replica: field.int(1).refused('models cannot be spread over several cores', (cores) => cores !== 1),
    /** Dimension along which tensors are spread; -1: none. */
    default_shard_dim: field.int(-1).refused('models cannot be spread over several cores', (dim) => dim !== -1),
    /** Use the TPU strategy with model parallelism. */
    use_tpu_mp_strategy: field.bool(false).refused(NO_TPU),
    /** Device on which compiled steps run. */
    device: field.choice(['cpu'], 'cpu'),
    /** Threads of compiled steps; 0: chosen automatically. */
    num_threads: field.int(0).min(0),
    /** How much ONNX Runtime rewrites compiled steps: less starts faster and runs slower. Null: `ORBIT_GRAPH_OPTIMIZATION_LEVEL` if set, else `extended`. */
    graph_optimization_level: field.choice(['disabled', 'basic', 'extended', 'all']).optional(),
    /** Compute convolutions and chains of elementwise kernels by native kernels, where their package is installed; results differ by rounding. */
    native_kernels: true,
    /** Seed of everything random in a run: initial weights, dropout, shuffling. */
    seed: field.int(0),
  },
  { name: 'RuntimeConfig' },
);
/** See {@link runtimeConfig}. */
export type RuntimeConfig = ConfigOf<typeof runtimeConfig>;
/** What {@link runtimeConfig} accepts. */
export type RuntimeConfigInput = ConfigInputOf<typeof runtimeConfig>;

/** A whole experiment; see {@link experimentConfig}, which makes one with the task's own type. */
export const baseExperimentConfig = defineConfig(
  {
    /** What is trained, on which data. */
    task: baseTaskConfig,
    /** The training and evaluation loops. */
    trainer: trainerConfig,
    /** Devices, precision and the process as a whole. */
    runtime: runtimeConfig,
  },
  { name: 'ExperimentConfig' },
);

/** A whole experiment whose task is a `T`. */
export interface ExperimentConfig<T extends TaskConfig = TaskConfig, R extends TrainerConfig = TrainerConfig> {
  /** What is trained, on which data. */
  task: T;
  /** The training and evaluation loops. */
  trainer: R;
  /** Devices, precision and the process as a whole. */
  runtime: RuntimeConfig;
}

/**
 * Makes an experiment. `task` is a config made by a task's schema (it is copied and keeps its schema); `trainer` and
 * `runtime` are configs or mappings of what differs from the defaults.
 *
 * @param restrictions relations that `validateConfig` checks, such as `'task.train_data.is_training != None'`
 */
export function experimentConfig<T extends TaskConfig = TaskConfig>(
  values: { readonly task?: T; readonly trainer?: TrainerConfigInput; readonly runtime?: RuntimeConfigInput } = {},
  { restrictions = [] }: { readonly restrictions?: readonly string[] } = {},
): ExperimentConfig<T> {
  const config = baseExperimentConfig(values as ConfigInputOf<typeof baseExperimentConfig>);
  return cloneConfig(addRestrictions(config, restrictions)) as unknown as ExperimentConfig<T>;
}

/**
 * Declares a task's config: the base fields, and `fields` besides or in their place.
 *
 * @example
 * const spamTask = taskConfig({ model: modelConfig({ units: 64 }) }, { name: 'spam' });
 */
export function taskConfig<F extends FieldLikes>(
  fields: F,
  options: { readonly name: string; readonly restrictions?: readonly string[] },
): ConfigSchema<Extended<TaskConfig, ConfigValues<F>>, Extended<ConfigInputOf<typeof baseTaskConfig>, ConfigInput<F>>> {
  return extendConfig(baseTaskConfig, fields, options);
}

/** Declares a model's config: a schema to put under `model` of {@link taskConfig}. */
export function modelConfig<F extends FieldLikes>(
  fields: F,
  { name = 'ModelConfig' }: { readonly name?: string } = {},
): ConfigSchema<ConfigValues<F>, ConfigInput<F>> {
  return defineConfig(fields, { name });
}
