/** Runs that train one task and evaluate several. */
import type { CheckpointManager } from '../../checkpoint/index.js';
import type { Action } from '../../orbit/index.js';
import { asAveraging } from '../averaging.js';
import type { WeightAverages } from '../averaging.js';
import { createTrainer } from '../factories.js';
import { getTask } from '../registry.js';
import { OrbitExperimentRunner } from '../runner.js';
import type { RunnerOptions, RunOutcome } from '../runner-options.js';
import type { Task } from '../task.js';
import { Trainer } from '../trainer.js';
import type { TrainerOptions } from '../trainer.js';
import { namedRoutines } from './config.js';
import type { MultiEvalExperimentConfig } from './config.js';
import { MultiTaskEvaluator } from './evaluator.js';
import { asEvaluation } from './trainer.js';

/** What the factories of actions get. */
export interface MultiEvalParts {
  /** The experiment's config. */
  readonly params: MultiEvalExperimentConfig;
  /** Trains the one task. */
  readonly trainer: Trainer;
  /** Where the run writes. */
  readonly modelDir: string;
  /** Saves the run's checkpoints; null in modes that save none. */
  readonly checkpointManager: CheckpointManager | null;
}

/** Options of {@link MultiEvalRunner}: those of `OrbitExperimentRunner`, where `task` is the task that is trained. */
export interface MultiEvalRunnerOptions extends Omit<RunnerOptions, 'params' | 'trainer'> {
  /** The experiment's config. */
  params: MultiEvalExperimentConfig;
  /** The tasks that are evaluated, by name. Default: those of `params.eval_tasks`. */
  evalTasks?: Readonly<Record<string, Task>> | null;
  /** Makes further train actions, which run before the runner's own. */
  trainActionsFactory?: ((parts: MultiEvalParts) => readonly Action[]) | null;
  /** Makes further eval actions, which run before the runner's own. */
  evalActionsFactory?: ((parts: MultiEvalParts) => readonly Action[]) | null;
}

/**
 * Trains one task with the standard trainer and evaluates its model on several, with the results of a {@link MultiTaskEvaluator}.
 */
export class MultiEvalRunner extends OrbitExperimentRunner {
  readonly #multi: MultiEvalRunnerOptions;

  constructor(options: MultiEvalRunnerOptions) {
    const { evalTasks: _tasks, trainActionsFactory: _train, evalActionsFactory: _eval, ...rest } = options;
    super(rest);
    this.#multi = options;
  }

  protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
    const params = this.params as MultiEvalExperimentConfig;
    const checkpointExporter = await this.buildBestCheckpointExporter();
    const routines = namedRoutines(params.eval_tasks, 'eval_tasks');
    const loggingDir = this.modelDir;
    const evalTasks =
      this.#multi.evalTasks ?? Object.fromEntries(routines.map(({ name, config }) => [name, getTask(config, { loggingDir, name })]));
    const evalSteps = Object.fromEntries(routines.map(({ name, routine }) => [name, routine.eval_steps]));
    const evaluation = (trainer: Trainer) =>
      asEvaluation(
        new MultiTaskEvaluator({
          ...{ evalTasks, evalSteps, checkpointExporter, config: params, model: trainer.model, globalStep: trainer.globalStep },
          throwIfStopped: () => trainer.throwIfStopped(),
        }),
      );
    class MultiEvalTrainer extends Trainer {
      constructor(options: TrainerOptions) {
        super(options, { evaluation });
      }
      /** As in the original, several tasks are evaluated with the weights themselves. */
      protected override averagesForEvaluation(): WeightAverages | null {
        return asAveraging(this.optimizer) === null ? super.averagesForEvaluation() : null;
      }
    }
    return createTrainer(params, task, { trainerClass: MultiEvalTrainer, train, evaluate, checkpointExporter });
  }

  protected override defaultTrainActions(): readonly Action[] {
    return [...(this.#multi.trainActionsFactory?.(this.#made()) ?? []), ...super.defaultTrainActions()];
  }

  protected override defaultEvalActions(): readonly Action[] {
    return [...(this.#multi.evalActionsFactory?.(this.#made()) ?? []), ...super.defaultEvalActions()];
  }

  #made(): MultiEvalParts {
    const { trainer, modelDir, checkpointManager } = this;
    return { params: this.params as MultiEvalExperimentConfig, trainer, modelDir, checkpointManager };
  }
}

/** Trains one task and evaluates several; see {@link MultiEvalRunner}, whose options these are. */
export function runExperimentWithMultiTaskEval(options: MultiEvalRunnerOptions): Promise<RunOutcome> {
  return new MultiEvalRunner(options).run();
}
