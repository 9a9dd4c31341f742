/** Configs of experiments that evaluate other tasks than they train. */
import { addRestrictions, cloneConfig, extendConfig, field, isConfig, schemaOf } from '../../config/index.js';
import type { ConfigInputOf } from '../../config/index.js';
import { baseExperimentConfig } from '../config.js';
import type { RuntimeConfig, RuntimeConfigInput, TaskConfig, TrainerConfig, TrainerConfigInput } from '../config.js';
import { multiTaskExperimentSchema, taskRoutine } from './config.js';
import type { MultiTaskConfig, MultiTaskTrainerConfig, MultiTaskTrainerConfigInput, TaskRoutine } from './config.js';

const multiEvalExperimentSchema = extendConfig(
  baseExperimentConfig,
  {
    /** The tasks that the trained model is evaluated on. */
    eval_tasks: field.list(taskRoutine),
  },
  { name: 'MultiEvalExperimentConfig' },
);

const multiTrainMultiEvalSchema = extendConfig(
  multiTaskExperimentSchema,
  {
    /** The tasks that the trained model is evaluated on. */
    eval_tasks: field.list(taskRoutine),
  },
  { name: 'MultiTaskMultiEvalExperimentConfig' },
);

/** What is trained where several tasks are evaluated: one task, or several. */
export type TrainedTaskConfig = TaskConfig | MultiTaskConfig;

/** An experiment that evaluates several tasks, and trains one task or several others. */
export interface MultiEvalExperimentConfig<T extends TrainedTaskConfig = TrainedTaskConfig> {
  /** What is trained: the config of a task, or of several. */
  task: T;
  /** The training and evaluation loops; where several tasks are trained, with `trainer_type` and `task_sampler`. */
  trainer: T extends MultiTaskConfig ? MultiTaskTrainerConfig : TrainerConfig;
  /** Devices, precision and the process as a whole. */
  runtime: RuntimeConfig;
  /** The tasks that the trained model is evaluated on. */
  eval_tasks: TaskRoutine[];
}

/** Makes an experiment that evaluates several tasks, and trains one or several others; see `experimentConfig`. */
export function multiEvalExperimentConfig<T extends TrainedTaskConfig = TaskConfig>(
  values: {
    readonly task?: T;
    readonly trainer?: T extends MultiTaskConfig ? MultiTaskTrainerConfigInput : TrainerConfigInput;
    readonly runtime?: RuntimeConfigInput;
    readonly eval_tasks?: readonly ConfigInputOf<typeof taskRoutine>[];
  } = {},
  { restrictions = [] }: { readonly restrictions?: readonly string[] } = {},
): MultiEvalExperimentConfig<T> {
  const isMulti = values.task !== undefined && trainsSeveral(values.task);
  const config = isMulti
    ? multiTrainMultiEvalSchema(values as ConfigInputOf<typeof multiTrainMultiEvalSchema>)
    : multiEvalExperimentSchema(values as ConfigInputOf<typeof multiEvalExperimentSchema>);
  return cloneConfig(addRestrictions(config, restrictions)) as unknown as MultiEvalExperimentConfig<T>;
}

/** Whether an experiment evaluates other tasks than it trains. */
export function isMultiEval(params: object): params is MultiEvalExperimentConfig {
  if (!isConfig(params)) return false;
  const schema: unknown = schemaOf(params);
  return schema === multiEvalExperimentSchema || schema === multiTrainMultiEvalSchema;
}

/** Whether a config is that of several tasks. */
export function trainsSeveral(task: object): task is MultiTaskConfig {
  return 'task_routines' in task;
}
