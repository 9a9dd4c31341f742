/** A classifier of fully connected layers. */
import * as tf from '#tf';

/** Shape of a {@link buildDenseClassifier}. */
export interface DenseClassifierOptions {
  /** Shape of one example, without the batch axis. */
  inputShape: readonly number[];
  /** Number of classes: the length of the outputs. */
  classes: number;
  /** Width of each hidden layer. */
  hiddenUnits: readonly number[];
  /** Share of the hidden values that each training step sets to zero. Default 0. */
  dropoutRate?: number;
  /** Factor of the squared weights added to the loss. Default 0. */
  l2?: number;
}

/** Hidden dense layers with relu and dropout, then one dense layer that gives a logit per class. */
export function buildDenseClassifier(options: DenseClassifierOptions): tf.Sequential {
  const { inputShape, classes, hiddenUnits, dropoutRate = 0, l2 = 0 } = options;
  const regularizer = () => (l2 > 0 ? tf.regularizers.l2({ l2 }) : undefined);
  const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [...inputShape] })] });
  for (const units of hiddenUnits) {
    model.add(tf.layers.dense({ units, activation: 'relu', kernelInitializer: 'glorotUniform', kernelRegularizer: regularizer() }));
    if (dropoutRate > 0) model.add(tf.layers.dropout({ rate: dropoutRate }));
  }
  model.add(tf.layers.dense({ units: classes, kernelInitializer: 'glorotUniform', kernelRegularizer: regularizer() }));
  return model;
}
