/** The runner of any experiment. */
import { getTask } from './registry.js';
import { MultiEvalRunner } from './multitask/eval-runner.js';
import { MultiTaskRunner } from './multitask/runner.js';
import { isMultiEval, isMultiTask } from './multitask/config.js';
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
  const task = getTask(params.task, { loggingDir });
  if (isMultiEval(params)) return new MultiEvalRunner({ ...options, params, task });
  if (isProgressive(params)) return new ProgressiveRunner({ ...options, task });
  return new OrbitExperimentRunner({ ...options, task });
}
