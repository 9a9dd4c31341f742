// A small run that is killed at random moments: a dense model with dropout, shuffled data, evaluation, checkpoints in the background.
// It says on standard output how far it is: `trained 30`, `saved 30`. A finished run ends with status 0.
import { writeSync } from 'node:fs';
import { fromArrays, NDArray } from 'orbit-ts/data';
import { defineTask, experimentConfig, getTask, OrbitExperimentRunner, taskConfig } from 'orbit-ts/experiment';
import * as tf from 'orbit-ts/tf';

const [modelDir, trainSteps] = process.argv.slice(2);
const x = NDArray.of(
  Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)),
  [64, 2],
);
const y = NDArray.of(
  Float32Array.from({ length: 64 }, (_, i) => Math.sin(2 * i)),
  [64, 1],
);
const killed = taskConfig({ units: 256 }, { name: 'KilledTask' });
defineTask(killed, {
  buildModel: ({ units }) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units, activation: 'relu', inputShape: [2] }),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units }),
        tf.layers.dense({ units: 1 }),
      ],
    }),
  buildInputs: (data) => {
    const rows = fromArrays([x, y]).shuffle({ seed: 1 }).batch(data.global_batch_size);
    return data.is_training ? rows.repeat().prefetch(2) : rows;
  },
  buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
});
const params = experimentConfig({
  task: killed({
    train_data: { is_training: true, global_batch_size: 8 },
    validation_data: { is_training: false, global_batch_size: 8 },
  }),
  trainer: {
    train_steps: Number(trainSteps),
    steps_per_loop: 10,
    summary_interval: 10,
    checkpoint_interval: 10,
    validation_interval: 40,
    max_to_keep: 2,
    best_checkpoint_export_subdir: 'best',
    best_checkpoint_eval_metric: 'validation_loss',
    best_checkpoint_metric_comp: 'lower',
    optimizer_config: {
      optimizer: { type: 'adam' },
      learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.01, decay_steps: Number(trainSteps) } },
    },
  },
});
await new OrbitExperimentRunner({
  task: getTask(params.task),
  mode: 'train_and_eval',
  params,
  modelDir,
  enableAsyncCheckpointing: true,
  reporter: {
    trainLoopEnd: ({ step }) => writeSync(1, `trained ${step}\n`),
    checkpointSaved: ({ step }) => writeSync(1, `saved ${step}\n`),
  },
  log: () => {},
}).run();
