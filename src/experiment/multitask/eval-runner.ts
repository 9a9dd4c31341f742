/** Runs that evaluate other tasks than they train. */
import type { CheckpointManager } from '../../checkpoint/index.js';
import { UsageError } from '../../errors.js';
import type { Action } from '../../orbit/index.js';
import { asAveraging } from '../averaging.js';
import type { WeightAverages } from '../averaging.js';
import type { ExperimentConfig } from '../config.js';
import { createTrainer } from '../factories.js';
import { getTask } from '../registry.js';
import { OrbitExperimentRunner } from '../runner.js';
import type { RunnerOptions, RunOutcome } from '../runner-options.js';
import type { Task } from '../task.js';
import { Trainer } from '../trainer.js';
import type { TrainerOptions } from '../trainer-options.js';
import { namedRoutines } from './config.js';
import type { MultiTaskConfig, MultiTaskExperimentConfig } from './config.js';
import { trainsSeveral } from './eval-config.js';
import type { MultiEvalExperimentConfig } from './eval-config.js';
import { MultiTaskEvaluator } from './evaluator.js';
import { createMultiTaskTrainer } from './factories.js';
import { JoinedTask } from './joined-task.js';
import { MultiTask } from './multi-task.js';
import { asEvaluation } from './trainer.js';
import type { EvaluatedTasks } from './trainer.js';

/** What the factories of actions get. */
export interface MultiEvalParts {
  /** The experiment's config. */
  readonly params: MultiEvalExperimentConfig;
  /** Trains what is trained. */
  readonly trainer: Trainer;
  /** Where the run writes. */
  readonly modelDir: string;
  /** Saves the run's checkpoints; null in modes that save none. */
  readonly checkpointManager: CheckpointManager | null;
}

/** Options of {@link MultiEvalRunner}: those of `OrbitExperimentRunner`. */
export interface MultiEvalRunnerOptions extends Omit<RunnerOptions, 'task' | 'params' | 'trainer'> {
  /** What is trained: `getTask(params.task)`, or `getMultiTask(params.task)` where several tasks are. */
  task: Task | MultiTask;
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
 * Trains one task with the standard trainer, or several with theirs, and evaluates the model on several, with the results of a
 * {@link MultiTaskEvaluator}.
 */
export class MultiEvalRunner extends OrbitExperimentRunner {
  readonly #multi: MultiEvalRunnerOptions;

  /** @throws UsageError where `task` is one task and the config that of several, or the other way round */
  constructor(options: MultiEvalRunnerOptions) {
    const { evalTasks: _tasks, trainActionsFactory: _train, evalActionsFactory: _eval, task, params, ...rest } = options;
    if (params?.task && task) requireSameKind(task, params.task);
    const joined = task instanceof MultiTask ? new JoinedTask(task, params.task as MultiTaskConfig) : task;
    super({ ...rest, task: joined, params: params as ExperimentConfig });
    this.#multi = options;
  }

  protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
    const parts = { train, evaluate, checkpointExporter: await this.buildBestCheckpointExporter() };
    const evaluated = this.#evaluated();
    if (!(task instanceof JoinedTask)) return createTrainer(this.params, task, { ...parts, trainerClass: evaluatorOf(evaluated) });
    const params = this.params as unknown as MultiTaskExperimentConfig;
    return createMultiTaskTrainer(params, { ...parts, multiTask: task.multiTask, model: task.buildModel(), evaluated });
  }

  protected override defaultTrainActions(): readonly Action[] {
    return [...(this.#multi.trainActionsFactory?.(this.#made()) ?? []), ...super.defaultTrainActions()];
  }

  protected override defaultEvalActions(): readonly Action[] {
    return [...(this.#multi.evalActionsFactory?.(this.#made()) ?? []), ...super.defaultEvalActions()];
  }

  #evaluated(): EvaluatedTasks {
    const routines = namedRoutines((this.params as MultiEvalExperimentConfig).eval_tasks, 'eval_tasks');
    const made = (): Record<string, Task> =>
      Object.fromEntries(routines.map(({ name, config }) => [name, getTask(config, { loggingDir: this.modelDir, name })]));
    return {
      tasks: this.#multi.evalTasks ?? made(),
      steps: Object.fromEntries(routines.map(({ name, routine }) => [name, routine.eval_steps])),
    };
  }

  #made(): MultiEvalParts {
    const { trainer, modelDir, checkpointManager } = this;
    return { params: this.params as MultiEvalExperimentConfig, trainer, modelDir, checkpointManager };
  }
}

/** The standard trainer with an evaluation of several tasks. */
function evaluatorOf({ tasks, steps }: EvaluatedTasks): new (options: TrainerOptions) => Trainer {
  return class MultiEvalTrainer extends Trainer {
    constructor(options: TrainerOptions) {
      const { config, checkpointExporter = null } = options;
      const evaluation = (trainer: Trainer) =>
        asEvaluation(
          new MultiTaskEvaluator({
            ...{ evalTasks: tasks, evalSteps: steps, checkpointExporter, config, model: trainer.model, globalStep: trainer.globalStep },
            throwIfStopped: () => trainer.throwIfStopped(),
          }),
        );
      super(options, { evaluation });
    }
    /** As in the original, several tasks are evaluated with the weights themselves. */
    protected override averagesForEvaluation(): WeightAverages | null {
      return asAveraging(this.optimizer) === null ? super.averagesForEvaluation() : null;
    }
  };
}

function requireSameKind(task: Task | MultiTask, config: object): void {
  if (trainsSeveral(config) === task instanceof MultiTask) return;
  throw new UsageError(
    task instanceof MultiTask
      ? `${task.name} trains several tasks, but params.task is the config of one. Make params with multiEvalExperimentConfig({ task: <config of several tasks>, ... }).`
      : 'params.task is the config of several tasks: pass task: getMultiTask(params.task).',
  );
}

/** Trains one task or several and evaluates several; see {@link MultiEvalRunner}, whose options these are. */
export function runExperimentWithMultiTaskEval(options: MultiEvalRunnerOptions): Promise<RunOutcome> {
  return new MultiEvalRunner(options).run();
}
