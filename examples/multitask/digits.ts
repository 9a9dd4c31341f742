/** Two tasks on MNIST that share their hidden layers: which digit it is, and whether it is even. */
import {
  defineMultiTask,
  extendConfig,
  field,
  mnist,
  modelConfig,
  multiTaskConfig,
  multiTaskExperimentConfig,
  NDArray,
  registerExperiment,
  registerTask,
  SparseCategoricalAccuracy,
  Task,
  taskConfig,
} from 'orbit-ts';
import type { DataConfig, Dataset, Metric } from 'orbit-ts';
import * as tf from 'orbit-ts/tf';

/** Config of both tasks; `classes` says what is to be told apart: 10 digits, or 2 for odd and even. */
export const digitTask = taskConfig({ classes: field.int(10) }, { name: 'DigitTask' });

/** Classifies images by their digit modulo `classes`. */
export class DigitTask extends Task<typeof digitTask> {
  override buildModel(): never {
    throw new Error('The model is that of both tasks: see digitsAndParity.');
  }

  override buildInputs(data: DataConfig): Dataset<unknown> {
    const { classes } = this.taskConfig;
    let examples = mnist({ split: data.is_training ? 'train' : 'test' });
    if (data.is_training) examples = examples.shuffle({ bufferSize: data.shuffle_buffer_size, seed: data.seed ?? 0 }).repeat();
    return examples.batch(data.global_batch_size).map((batch) => {
      const [images, labels] = batch as unknown as [NDArray, NDArray];
      return [
        images,
        NDArray.of(
          (labels.data as Int32Array).map((digit) => digit % classes),
          labels.shape,
        ),
      ];
    });
  }

  override buildLosses(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels as tf.Tensor1D, this.taskConfig.classes), logits);
  }

  override buildMetrics(): Metric[] {
    return [new SparseCategoricalAccuracy('accuracy')];
  }
}
registerTask(digitTask, DigitTask);

/** Config of the two tasks together: the base fields and the width of the layer that they share. */
export const digitsAndParity = extendConfig(
  multiTaskConfig,
  { model: modelConfig({ units: field.int(128) }) },
  { name: 'DigitsAndParity' },
);

defineMultiTask(digitsAndParity, {
  buildModel(config) {
    const image = tf.input({ shape: [28, 28, 1] });
    const flat = tf.layers.flatten().apply(image);
    const shared = tf.layers.dense({ name: 'shared', units: config.model.units, activation: 'relu' }).apply(flat);
    const head = (name: string, units: number): tf.LayersModel =>
      tf.model({ inputs: image, outputs: tf.layers.dense({ name, units }).apply(shared) as tf.SymbolicTensor });
    return { subTasks: { digit: head('digit', 10), parity: head('parity', 2) } };
  },
});

/** The experiment `digits_and_parity`: three steps of four train the digits, the fourth trains the parity. */
export const experiment = registerExperiment('digits_and_parity', () => {
  const data = (is_training: boolean) => ({ is_training, global_batch_size: is_training ? 64 : 500, shuffle_buffer_size: 10_000 });
  const task = (classes: number) => digitTask({ classes, train_data: data(true), validation_data: data(false) });
  return multiTaskExperimentConfig({
    task: digitsAndParity({
      task_routines: [
        { task_name: 'digit', task_config: task(10), task_weight: 3 },
        { task_name: 'parity', task_config: task(2), task_weight: 1 },
      ],
    }),
    trainer: {
      ...{ train_steps: 2000, steps_per_loop: 200, summary_interval: 200, checkpoint_interval: 1000, validation_interval: 1000 },
      trainer_type: 'interleaving',
      task_sampler: { type: 'proportional', proportional: { alpha: 1 } },
      optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'constant', constant: { learning_rate: 1e-3 } } },
    },
  });
});
