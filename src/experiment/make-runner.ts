/** The runner of any experiment. */
import { getTask } from './registry.js';
import { MultiEvalRunner } from './multitask/eval-runner.js';
import { MultiTaskRunner } from './multitask/runner.js';
import { isMultiTask } from './multitask/config.js';
import { isMultiEval, trainsSeveral } from './multitask/eval-config.js';
import { getMultiTask } from './multitask/multi-task.js';
import { isProgressive } from './progressive/config.js';
import { ProgressiveRunner } from './progressive/runner.js';
import { OrbitExperimentRunner } from './runner.js';
import type { RunnerOptions } from './runner-options.js';

/**
 * Makes the runner that an experiment's config asks for, with the tasks of the config: a {@link MultiTaskRunner} for several tasks,
 * a {@link MultiEvalRunner} where several are evaluated, a {@link ProgressiveRunner} for training in stages, else an {@link OrbitExperimentRunner}.
 */
export function makeRunner(options: Omit<RunnerOptions, 'task' | 'trainer'>): OrbitExperimentRunner {
  const { params, modelDir: loggingDir } = options;
  if (isMultiTask(params)) return new MultiTaskRunner({ ...options, params });
  if (isMultiEval(params)) {
    const { task } = params;
    return new MultiEvalRunner({
      ...options,
      params,
      task: trainsSeveral(task) ? getMultiTask(task, { loggingDir }) : getTask(task, { loggingDir }),
    });
  }
  const task = getTask(params.task, { loggingDir });
  if (isProgressive(params)) return new ProgressiveRunner({ ...options, task });
  return new OrbitExperimentRunner({ ...options, task });
}
