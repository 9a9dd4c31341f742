/** The task that the examples of this folder share: a line through noisy points, learned by one dense layer. */
import { experimentConfig, fromArrays, getTask, NDArray, registerTask, Task, taskConfig } from 'orbit-ts';
import type { DataConfig, Dataset, ExperimentConfig, RunnerOptions } from 'orbit-ts';
import * as tf from 'orbit-ts/tf';

/** Config of the task: the fields that every task has, and one of its own. */
export const lineTask = taskConfig(
  {
    /** Slope of the line that the points lie on. */
    slope: 3,
  },
  { name: 'LineTask' },
);

/** Learns y = slope · x - 1. */
export class LineTask extends Task<typeof lineTask> {
  override buildModel(): tf.Sequential {
    return tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })] });
  }

  override buildInputs(data: DataConfig): Dataset<unknown> {
    const x = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const y = x.map((value, i) => this.taskConfig.slope * value - 1 + 0.01 * Math.cos(7 * i));
    const batches = fromArrays([NDArray.of(x, [64, 1]), NDArray.of(y, [64, 1])]).batch(data.global_batch_size);
    return data.is_training ? batches.repeat() : batches;
  }

  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
    return tf.losses.meanSquaredError(labels, outputs);
  }
}
registerTask(lineTask, LineTask);

/** A short training of the task: 40 steps with an evaluation after every 20. */
export function lineParams(): ExperimentConfig<ReturnType<typeof lineTask>> {
  return experimentConfig({
    task: lineTask({
      train_data: { is_training: true, global_batch_size: 16 },
      validation_data: { is_training: false, global_batch_size: 64 },
    }),
    trainer: {
      train_steps: 40,
      steps_per_loop: 10,
      summary_interval: 10,
      checkpoint_interval: 20,
      validation_interval: 20,
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.2 } } },
    },
  });
}

/** What a runner needs to train the task in `modelDir`, without lines on the terminal. */
export function lineRun(modelDir: string): RunnerOptions {
  const params = lineParams();
  return { task: getTask(params.task), mode: 'train_and_eval', params, modelDir, reporter: {}, log: () => {} };
}
