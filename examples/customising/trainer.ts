/** A trainer that changes batches on their way and adds to the results of each loop. */
import { createTrainer, runExperiment, Trainer } from 'orbit-ts';
import type { DataIterator, Output, Tensors } from 'orbit-ts';
import { lineRun } from './line-task.js';

class CountingTrainer extends Trainer {
  #examples = 0;

  /** Sees every training batch before the step does: here an array of features and one of labels. */
  override nextTrainInputs(iterator: DataIterator): Promise<Tensors> | Tensors {
    const count = (inputs: Tensors): Tensors => {
      const [features] = inputs as unknown as [{ shape: number[] }];
      this.#examples += features.shape[0]!;
      return inputs;
    };
    const next = super.nextTrainInputs(iterator);
    return next instanceof Promise ? next.then(count) : count(next);
  }

  /** Results of one training loop; they reach actions, summaries and the log. */
  override async trainLoopEnd(): Promise<Output> {
    return { ...(await super.trainLoopEnd()), examples_seen: this.#examples };
  }
}

/** Trains; resolves to the number of examples after each loop. */
export async function main(modelDir: string): Promise<number[]> {
  const seen: number[] = [];
  const { task, params, ...options } = lineRun(modelDir);
  const trainer = createTrainer(params, task, { trainerClass: CountingTrainer });
  await runExperiment({ ...options, task, params, trainer, trainActions: [(output) => void seen.push(output['examples_seen'] as number)] });
  return seen;
}
