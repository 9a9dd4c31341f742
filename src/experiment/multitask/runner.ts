/** Runs of multi-task experiments. */
import { UsageError } from '../../errors.js';
import type { ExperimentConfig } from '../config.js';
import type { Model } from '../model.js';
import { OrbitExperimentRunner } from '../runner.js';
import type { RunnerOptions, RunOutcome } from '../runner-options.js';
import type { Task } from '../task.js';
import type { MultiTaskExperimentConfig } from './config.js';
import { createMultiTaskTrainer } from './factories.js';
import { JoinedTask } from './joined-task.js';
import type { MultiTaskModel } from './model.js';
import { getMultiTask } from './multi-task.js';
import type { MultiTask } from './multi-task.js';
import type { MultiTaskTrainer } from './trainer.js';

/** Options of {@link MultiTaskRunner}: those of `OrbitExperimentRunner`, for several tasks. */
export interface MultiTaskRunnerOptions extends Omit<RunnerOptions, 'task' | 'params' | 'trainer'> {
  /** The tasks. Default: those of `params.task`. */
  task?: MultiTask | null;
  /** The experiment's config. */
  params: MultiTaskExperimentConfig;
  /** The model. Default: the multi-task builds it. */
  model?: MultiTaskModel | Model | null;
  /** A trainer made elsewhere, instead of that of `params.trainer.trainer_type`. */
  trainer?: MultiTaskTrainer | null;
}

/** Runs an experiment of several tasks: the runner of single tasks with a trainer and an evaluator of several. */
export class MultiTaskRunner extends OrbitExperimentRunner {
  readonly #multiTask: MultiTask;
  readonly #params: MultiTaskExperimentConfig;
  readonly #isModelGiven: boolean;
  #builds = 0;

  constructor({ task, model, ...options }: MultiTaskRunnerOptions) {
    const { params } = options;
    const multiTask = task ?? getMultiTask(params.task, { loggingDir: options.modelDir });
    super({ ...options, task: new JoinedTask(multiTask, params.task, model), params: params as unknown as ExperimentConfig });
    this.#multiTask = multiTask;
    this.#params = this.params as unknown as MultiTaskExperimentConfig; // a trial run has other ones
    this.#isModelGiven = Boolean(model);
  }

  protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<MultiTaskTrainer> {
    if (this.#isModelGiven && this.#builds++ > 0)
      throw new UsageError('the model was made by the caller, so the steps cannot be made again with a new one.');
    const checkpointExporter = await this.buildBestCheckpointExporter();
    const parts = { multiTask: this.#multiTask, model: task.buildModel(), train, evaluate, checkpointExporter };
    return createMultiTaskTrainer(this.#params, parts);
  }
}

/** Runs an experiment of several tasks; see {@link MultiTaskRunner}, whose options these are. */
export function runMultiTaskExperiment(options: MultiTaskRunnerOptions): Promise<RunOutcome> {
  return new MultiTaskRunner(options).run();
}
