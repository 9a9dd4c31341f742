// The smallest experiment that has all that a loop does: one 10×10 dense, batch 1, SGD, a metric, summaries.
import { fromArrays, NDArray } from 'orbit-ts/data';
import { defineTask, experimentConfig, registerExperiment, taskConfig } from 'orbit-ts/experiment';
import { SparseCategoricalAccuracy } from 'orbit-ts/metrics';
import * as tf from 'orbit-ts/tf';

/** Name under which the experiment is registered. */
export const TINY = 'bench_tiny';

const tinyTask = taskConfig({}, { name: TINY });

defineTask(tinyTask, {
  buildModel: () => tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [10] })] }),
  buildInputs: () => {
    const features = new NDArray(
      Float32Array.from({ length: 10 }, (_, i) => i / 10 - 0.5),
      [1, 10],
      'float32',
    );
    return fromArrays([features, new NDArray(Int32Array.of(0), [1], 'int32')])
      .batch(1)
      .repeat();
  },
  buildLosses: (labels, outputs) => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 10, 1, 0, 'float32'), outputs),
  buildMetrics: () => [new SparseCategoricalAccuracy('accuracy')],
});

registerExperiment(TINY, () =>
  experimentConfig({
    task: tinyTask({
      train_data: { is_training: true, global_batch_size: 1 },
      validation_data: { is_training: false, global_batch_size: 1 },
    }),
    trainer: {
      steps_per_loop: 100,
      summary_interval: 100,
      optimizer_config: {
        optimizer: { type: 'sgd' },
        learning_rate: { type: 'constant', constant: { learning_rate: 1e-3 } },
      },
    },
  }),
);
