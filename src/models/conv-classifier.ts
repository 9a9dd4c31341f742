/** A small convolutional classifier of images. */
import * as tf from '#tf';

/** Shape of a {@link buildConvClassifier}. */
export interface ConvClassifierOptions {
  /** Height, width and channels of one image. */
  inputShape: readonly [number, number, number];
  /** Number of classes: the length of the outputs. */
  classes: number;
  /** Channels after each 3×3 convolution. */
  filters: readonly number[];
  /** Width of the dense layer before the last one. */
  denseUnits: number;
  /** Share of values that each training step sets to zero: after pooling, and twice as much after the dense layer. Default 0. */
  dropoutRate?: number;
  /** Factor of the squared weights added to the loss. Default 0. */
  l2?: number;
}

/** 3×3 convolutions with relu (no padding), 2×2 max pooling, a dense layer with relu, a logit per class. */
export function buildConvClassifier(options: ConvClassifierOptions): tf.Sequential {
  const { inputShape, classes, filters, denseUnits, dropoutRate = 0, l2 = 0 } = options;
  const shared = () => ({
    kernelInitializer: 'glorotUniform' as const,
    kernelRegularizer: l2 > 0 ? tf.regularizers.l2({ l2 }) : undefined,
  });
  const model = tf.sequential();
  for (const [i, channels] of filters.entries()) {
    model.add(
      tf.layers.conv2d({
        filters: channels,
        kernelSize: 3,
        activation: 'relu',
        ...shared(),
        ...(i === 0 && { inputShape: [...inputShape] }),
      }),
    );
  }
  model.add(tf.layers.maxPooling2d({ poolSize: 2, ...(filters.length === 0 && { inputShape: [...inputShape] }) }));
  if (dropoutRate > 0) model.add(tf.layers.dropout({ rate: dropoutRate }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: denseUnits, activation: 'relu', ...shared() }));
  if (dropoutRate > 0) model.add(tf.layers.dropout({ rate: Math.min(2 * dropoutRate, 0.9) }));
  model.add(tf.layers.dense({ units: classes, ...shared() }));
  return model;
}
