/** Configs of multi-task experiments. */
import { addRestrictions, cloneConfig, defineConfig, extendConfig, field, isConfig, oneOf, schemaOf } from '../../config/index.js';
import type { AnyConfigSchema, ConfigInputOf, ConfigOf } from '../../config/index.js';
import { baseTaskConfig, differentialPrivacyConfig, runtimeConfig, trainerConfig } from '../config.js';
import type { RuntimeConfig, RuntimeConfigInput, TaskConfig } from '../config.js';
import { ConfigError } from '../../errors.js';

/** One task of several. */
export const taskRoutine = defineConfig(
  {
    /** Name of the task; empty: that of `task_config`. */
    task_name: '',
    /** Config of the task, made by the task's own schema. */
    task_config: field.config(baseTaskConfig).optional(),
    /** Batches of each evaluation of the task; null: `trainer.validation_steps`. */
    eval_steps: field.int().optional(),
    /** Weight of the task's loss in joint training, or of the task among those to choose from in interleaved training. */
    task_weight: field.float(1).min(0),
  },
  { name: 'TaskRoutine' },
);
/** See {@link taskRoutine}. */
export type TaskRoutine = ConfigOf<typeof taskRoutine>;

/** Several tasks that are trained together. */
export const multiTaskConfig = defineConfig(
  {
    /** Checkpoint, or directory of checkpoints, from which a fresh model is initialised; empty: none. */
    init_checkpoint: '',
    /** The model that the tasks share; its fields depend on the experiment. */
    model: field.record().optional(),
    /** The tasks. */
    task_routines: field.list(taskRoutine),
    /** Clips the gradients of each update and adds noise to them; null: neither. */
    differential_privacy_config: field.config(differentialPrivacyConfig).optional(),
  },
  { name: 'MultiTaskConfig' },
);
/** See {@link multiTaskConfig}. */
export type MultiTaskConfig = ConfigOf<typeof multiTaskConfig>;
/** Any schema whose configs are those of several tasks. */
export type MultiTaskSchema<T extends MultiTaskConfig = MultiTaskConfig> = AnyConfigSchema<T>;

/** Tasks are chosen with probabilities ∝ weight^alpha. */
export const proportionalSampleConfig = defineConfig(
  {
    /** Exponent of the weights: 1 as they are, 0 uniform. */
    alpha: field.float(1),
  },
  { name: 'ProportionalSampleConfig' },
);

/** Tasks are chosen with probabilities ∝ weight^alpha, where alpha falls as training goes on. */
export const annealingSampleConfig = defineConfig(
  {
    /** Steps of an epoch, within which alpha is constant. */
    steps_per_epoch: field.int(5).min(1),
    /** Steps of the whole training: alpha is 1 in the second epoch and 0.2 after them. */
    total_steps: field.int(20).min(1),
  },
  { name: 'AnnealingSampleConfig' },
);

/** How interleaved training chooses the task of a step. */
export const taskSamplingConfig = oneOf(
  {
    branches: {
      /** Every task equally often. */
      uniform: defineConfig({}, { name: 'UniformSampleConfig' }),
      /** As often as the weights say. */
      proportional: proportionalSampleConfig,
      /** First as the weights say, later more uniformly. */
      annealing: annealingSampleConfig,
    },
  },
  { name: 'TaskSamplingConfig' },
);
/** See {@link taskSamplingConfig}. */
export type TaskSamplingConfig = ConfigOf<typeof taskSamplingConfig>;

/** The training and evaluation loops of several tasks. */
export const multiTaskTrainerConfig = extendConfig(
  trainerConfig,
  {
    /** `interleaving`: every step trains one task, chosen by `task_sampler`. `joint`: every step trains all, on the weighted sum of their losses. */
    trainer_type: field.choice(['interleaving', 'joint'], 'interleaving'),
    /** How interleaved training chooses the task of a step. */
    task_sampler: field.config(taskSamplingConfig, { type: 'proportional' }),
  },
  { name: 'MultiTaskTrainerConfig' },
);
/** See {@link multiTaskTrainerConfig}. */
export type MultiTaskTrainerConfig = ConfigOf<typeof multiTaskTrainerConfig>;

/** The schema behind {@link multiTaskExperimentConfig}. */
export const multiTaskExperimentSchema = defineConfig(
  {
    /** The tasks and the model that they share. */
    task: multiTaskConfig,
    /** The training and evaluation loops. */
    trainer: multiTaskTrainerConfig,
    /** Devices, precision and the process as a whole. */
    runtime: runtimeConfig,
  },
  { name: 'MultiTaskExperimentConfig' },
);

/** An experiment that trains several tasks. */
export interface MultiTaskExperimentConfig<T extends MultiTaskConfig = MultiTaskConfig> {
  /** The tasks and the model that they share. */
  task: T;
  /** The training and evaluation loops. */
  trainer: MultiTaskTrainerConfig;
  /** Devices, precision and the process as a whole. */
  runtime: RuntimeConfig;
}

/** What {@link multiTaskExperimentConfig} takes for `trainer`. */
export type MultiTaskTrainerConfigInput = ConfigInputOf<typeof multiTaskTrainerConfig>;

/** Makes an experiment that trains several tasks; see `experimentConfig`. */
export function multiTaskExperimentConfig<T extends MultiTaskConfig = MultiTaskConfig>(
  values: { readonly task?: T; readonly trainer?: MultiTaskTrainerConfigInput; readonly runtime?: RuntimeConfigInput } = {},
  { restrictions = [] }: { readonly restrictions?: readonly string[] } = {},
): MultiTaskExperimentConfig<T> {
  const config = multiTaskExperimentSchema(values as ConfigInputOf<typeof multiTaskExperimentSchema>);
  return cloneConfig(addRestrictions(config, restrictions)) as unknown as MultiTaskExperimentConfig<T>;
}

/** Whether an experiment trains several tasks. */
export function isMultiTask(params: object): params is MultiTaskExperimentConfig {
  return isConfig(params) && schemaOf(params) === multiTaskExperimentSchema;
}

/** Name and config of each routine's task. @throws ConfigError for one without config or name, or a name that occurs twice */
export function namedRoutines(routines: readonly TaskRoutine[], at: string): { name: string; config: TaskConfig; routine: TaskRoutine }[] {
  const names = new Set<string>();
  return routines.map((routine, i) => {
    const path = `${at}[${i}]`;
    const config = routine.task_config;
    if (config === null)
      throw new ConfigError(`${path}.task_config is not set: give it the config of a task, such as spamTask({ ... }).`, {
        path: `${path}.task_config`,
      });
    const name = routine.task_name || config.name;
    if (!name) throw new ConfigError(`${path}: the task has no name; set task_name, or name in its task_config.`, { path });
    if (name.includes('/') || name === 'total_loss' || name === 'learning_rate')
      throw new ConfigError(`${path}: a task cannot be named "${name}"; results have that name, or it holds a "/".`, { path });
    if (names.has(name)) throw new ConfigError(`${path}: there are two tasks named "${name}"; names tell their results apart.`, { path });
    names.add(name);
    return { name, config, routine };
  });
}
