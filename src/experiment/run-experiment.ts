/** An experiment in one call. */
import type { RunnerOptions, RunOutcome } from './runner-options.js';
import { OrbitExperimentRunner } from './runner.js';

/** Runs an experiment; see {@link OrbitExperimentRunner}, whose options these are. */
export function runExperiment(options: RunnerOptions): Promise<RunOutcome> {
  return new OrbitExperimentRunner(options).run();
}
