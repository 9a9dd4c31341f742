/** Trains both tasks and prints how well each is done. */
import { runMultiTaskExperiment } from 'orbit-ts';
import type { Output } from 'orbit-ts';
import { experiment } from './digits.js';

/**
 * Trains `steps` steps; resolves to the results of the last evaluation, by task.
 * @param trainerType `interleaving`: one task per step; `joint`: both in every step
 */
export async function main(modelDir: string, steps = 2000, trainerType: 'interleaving' | 'joint' = 'interleaving'): Promise<Output> {
  const params = experiment.config();
  params.trainer.trainer_type = trainerType;
  params.trainer.train_steps = steps;
  params.trainer.steps_per_loop = Math.min(steps, 200);
  params.trainer.summary_interval = params.trainer.steps_per_loop;
  const { evalLogs } = await runMultiTaskExperiment({ params, modelDir, mode: 'train_and_post_eval', reporter: {}, log: () => {} });
  return evalLogs;
}
