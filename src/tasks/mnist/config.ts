/** Config of the MNIST task. */
import { defineConfig, field, oneOf } from '../../config/index.js';
import type { ConfigOf } from '../../config/index.js';
import { taskConfig } from '../../experiment/config.js';

/** Fully connected model. */
export const mlpConfig = defineConfig(
  {
    /** Width of each hidden layer. */
    hidden_units: field.list(field.int().min(1), [512, 512]),
    /** Share of hidden values that each training step sets to zero. */
    dropout_rate: field.float(0).min(0).max(0.95),
    /** Factor of the squared weights added to the loss. */
    l2: field.float(0).min(0),
  },
  { name: 'MlpConfig' },
);

/** Convolutional model. */
export const cnnConfig = defineConfig(
  {
    /** Channels after each 3×3 convolution. */
    filters: field.list(field.int().min(1), [32, 64]),
    /** Width of the dense layer before the last one. */
    dense_units: field.int(128).min(1),
    /** Share of values that each training step sets to zero after pooling; twice as much after the dense layer. */
    dropout_rate: field.float(0.25).min(0).max(0.95),
    /** Factor of the squared weights added to the loss. */
    l2: field.float(0).min(0),
  },
  { name: 'CnnConfig' },
);

/** Config of the MNIST task: the base fields and the model. */
export const mnistTask = taskConfig(
  {
    /** The model: `type` selects one, its block holds the parameters. */
    model: oneOf(
      {
        type: 'mlp',
        branches: {
          /** Fully connected. */
          mlp: mlpConfig,
          /** Convolutional. */
          cnn: cnnConfig,
        },
      },
      { name: 'MnistModelConfig' },
    ),
  },
  { name: 'MnistTask' },
);
/** See {@link mnistTask}. */
export type MnistTaskConfig = ConfigOf<typeof mnistTask>;
