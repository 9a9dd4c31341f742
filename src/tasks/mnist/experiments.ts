/** The MNIST experiments: `mnist_mlp` and `mnist_cnn`. */
import { experimentConfig, experimentNames, registerExperiment } from '../../experiment/index.js';
import type { ExperimentConfig, ExperimentHandle } from '../../experiment/index.js';
import { mnistTask } from './config.js';
import type { MnistTaskConfig } from './config.js';

const TRAINING_IMAGES = 60_000;

declare module '../../experiment/registry.js' {
  interface Experiments {
    /** A dense network on MNIST. */
    mnist_mlp: ExperimentConfig<MnistTaskConfig>;
    /** A convolutional network on MNIST. */
    mnist_cnn: ExperimentConfig<MnistTaskConfig>;
  }
}

/** Settings in which the two experiments differ. */
interface Recipe {
  model: 'mlp' | 'cnn';
  batchSize: number;
  validationBatchSize: number;
  epochs: number;
  loopsPerEpoch: number;
  learningRate: number;
  warmupSteps: number;
}

/** Evaluates after each epoch and saves a checkpoint after each loop; the learning rate falls along half a cosine to zero. */
function mnistExperiment(recipe: Recipe): ExperimentConfig<MnistTaskConfig> {
  const { model, batchSize, validationBatchSize, epochs, loopsPerEpoch, learningRate, warmupSteps } = recipe;
  const stepsPerEpoch = Math.ceil(TRAINING_IMAGES / batchSize);
  return experimentConfig({
    task: mnistTask({
      name: 'mnist',
      model: { type: model },
      train_data: { is_training: true, global_batch_size: batchSize, shuffle_buffer_size: TRAINING_IMAGES },
      validation_data: { is_training: false, global_batch_size: validationBatchSize, drop_remainder: false },
    }),
    trainer: {
      train_steps: epochs * stepsPerEpoch,
      steps_per_loop: stepsPerEpoch / loopsPerEpoch,
      summary_interval: stepsPerEpoch,
      checkpoint_interval: stepsPerEpoch / loopsPerEpoch,
      validation_interval: stepsPerEpoch,
      optimizer_config: {
        optimizer: { type: 'adam' },
        learning_rate: { type: 'cosine', cosine: { initial_learning_rate: learningRate, decay_steps: epochs * stepsPerEpoch } },
        warmup: { type: 'linear', linear: { warmup_steps: warmupSteps } },
      },
      best_checkpoint_export_subdir: 'best_ckpt',
      best_checkpoint_eval_metric: 'accuracy',
    },
    runtime: { seed: 1 },
  });
}

/** Registers an experiment, unless another copy of this package in the process did so. */
function builtIn(name: 'mnist_mlp' | 'mnist_cnn', recipe: Recipe): ExperimentHandle<ExperimentConfig<MnistTaskConfig>> {
  const config = (): ExperimentConfig<MnistTaskConfig> => mnistExperiment(recipe);
  return experimentNames().includes(name) ? { name, config } : registerExperiment(name, config);
}

/** Two hidden layers of 512 units, three epochs of 469 steps. */
export const mnistMlp = builtIn('mnist_mlp', {
  model: 'mlp',
  batchSize: 128,
  validationBatchSize: 1000,
  epochs: 3,
  loopsPerEpoch: 1,
  learningRate: 0.002,
  warmupSteps: 100,
});

/** Two convolutions, pooling and a dense layer, two epochs of 938 steps. */
export const mnistCnn = builtIn('mnist_cnn', {
  model: 'cnn',
  batchSize: 64,
  validationBatchSize: 200,
  epochs: 2,
  loopsPerEpoch: 2,
  learningRate: 0.001,
  warmupSteps: 100,
});
