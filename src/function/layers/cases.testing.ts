/** For tests: a layer of every class of tfjs-layers, and what it is applied to. */
import * as tf from '#tf';

/** A layer and its inputs. */
export interface LayerCase {
  readonly layer: () => tf.layers.Layer;
  /** Shapes of its inputs, with the batch. */
  readonly inputs: readonly (readonly number[])[];
  /** Inputs are whole numbers below this and are not differentiated by. */
  readonly whole?: number;
  /** Why tfjs itself has no gradient by the inputs of this layer. */
  readonly noGradient?: string;
  /** Lowest and highest input. Default -1 and 1. */
  readonly range?: readonly [number, number];
}

const l = tf.layers;
const image = [2, 6, 5, 3];
const series = [3, 9, 4];
const volume = [1, 4, 4, 3, 2];
const rows = [4, 6];
const recurrent = { units: 3, recurrentInitializer: 'glorotUniform' } as const;
const one = (layer: () => tf.layers.Layer, shape: readonly number[]): LayerCase => ({ layer, inputs: [shape] });
const two = (layer: () => tf.layers.Layer): LayerCase => ({ layer, inputs: [rows, rows] });

/** A case for each function of `tf.layers`; several names of one class share it. */
export const layerCases: Readonly<Record<string, LayerCase>> = {
  activation: one(() => l.activation({ activation: 'mish' }), rows),
  add: two(() => l.add()),
  alphaDropout: one(() => l.alphaDropout({ rate: 0.3 }), rows),
  average: two(() => l.average()),
  averagePooling1d: one(() => l.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }), series),
  averagePooling2d: one(() => l.averagePooling2d({ poolSize: [2, 3], strides: [2, 1] }), image),
  averagePooling3d: one(() => l.averagePooling3d({ poolSize: 2, strides: 1, padding: 'valid' } as never), volume),
  batchNormalization: one(() => l.batchNormalization({ momentum: 0.8 }), image),
  bidirectional: one(
    () => l.bidirectional({ layer: l.gru({ ...recurrent, returnSequences: true }) as never, mergeMode: 'concat' }),
    series,
  ),
  categoryEncoding: { layer: () => l.categoryEncoding({ numTokens: 5, outputMode: 'count' }), inputs: [rows], whole: 5 },
  centerCrop: { layer: () => l.centerCrop({ height: 3, width: 3 }), inputs: [image], noGradient: 'CropAndResize has none' },
  concatenate: two(() => l.concatenate({ axis: -1 })),
  conv1d: one(() => l.conv1d({ filters: 4, kernelSize: 3, padding: 'same', strides: 2, activation: 'relu' }), series),
  conv2d: one(() => l.conv2d({ filters: 4, kernelSize: [3, 2], strides: [1, 2], padding: 'same', activation: 'elu' }), image),
  conv2dTranspose: one(() => l.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }), image),
  conv3d: one(() => l.conv3d({ filters: 3, kernelSize: 2, padding: 'same' }), volume),
  conv3dTranspose: {
    layer: () => l.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2, padding: 'same' }),
    inputs: [volume],
    noGradient: 'Conv3DBackpropInputV2 has none',
  },
  convLstm2d: one(() => l.convLstm2d({ filters: 2, kernelSize: 3, padding: 'same', returnSequences: true }) as never, [1, 9, 4, 4, 2]),
  convLstm2dCell: {
    layer: () => {
      const cell = l.convLstm2dCell({ filters: 2, kernelSize: 3, padding: 'same' });
      cell.build([1, 4, 4, 3]);
      return cell;
    }, inputs: [[1, 4, 4, 3], [1, 4, 4, 2], [1, 4, 4, 2]] }, // prettier-ignore
  cropping2D: one(() => l.cropping2D({ cropping: [[1, 0], [1, 2]] }), image), // prettier-ignore
  dense: one(() => l.dense({ units: 5, activation: 'softsign' }), rows),
  depthwiseConv2d: one(() => l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'tanh' }), image),
  dot: two(() => l.dot({ axes: 1, normalize: true })),
  dropout: one(() => l.dropout({ rate: 0.4, noiseShape: [4, 1] }), rows),
  elu: one(() => l.elu({ alpha: 1 }), rows),
  embedding: { layer: () => l.embedding({ inputDim: 7, outputDim: 3 }), inputs: [[3, 5]], whole: 7 },
  flatten: one(() => l.flatten(), image),
  gaussianDropout: one(() => l.gaussianDropout({ rate: 0.3 }), rows),
  gaussianNoise: one(() => l.gaussianNoise({ stddev: 0.5 }), rows),
  globalAveragePooling1d: one(() => l.globalAveragePooling1d(), series),
  globalAveragePooling2d: one(() => l.globalAveragePooling2d({}), image),
  globalMaxPooling1d: one(() => l.globalMaxPooling1d(), series),
  globalMaxPooling2d: one(() => l.globalMaxPooling2d({}), image),
  gru: one(() => l.gru({ ...recurrent, dropout: 0.2, recurrentDropout: 0.2 }), series),
  gruCell: one(() => l.rnn({ cell: l.gruCell(recurrent) }), series),
  inputLayer: one(() => tf.sequential({ layers: [l.inputLayer({ inputShape: [6] }), l.dense({ units: 2 })] }), rows),
  layerNormalization: one(() => l.layerNormalization({ axis: [1, 2] }), series),
  leakyReLU: one(() => l.leakyReLU({ alpha: 0.2 }), rows),
  lstm: one(() => l.lstm({ ...recurrent, returnSequences: true, unitForgetBias: true }), series),
  lstmCell: one(() => l.rnn({ cell: l.lstmCell(recurrent), goBackwards: true }), series),
  masking: { layer: () => l.masking({ maskValue: 1 }), inputs: [series], noGradient: 'its mask is made by Any, which has none' },
  maxPooling1d: one(() => l.maxPooling1d({ poolSize: 2, strides: 1 }), series),
  maxPooling2d: one(() => l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), image),
  maxPooling3d: one(() => l.maxPooling3d({ poolSize: 2, strides: 1, padding: 'valid' } as never), volume),
  maximum: two(() => l.maximum()),
  minimum: two(() => l.minimum()),
  multiply: two(() => l.multiply()),
  permute: one(() => l.permute({ dims: [2, 1] }), series),
  prelu: one(() => l.prelu({ alphaInitializer: 'randomNormal' as never, sharedAxes: [1] }), series),
  randomWidth: one(() => l.randomWidth({ factor: 0.3 } as never), image),
  reLU: one(() => l.reLU({ maxValue: 0.5 }), rows),
  repeatVector: one(() => l.repeatVector({ n: 3 }), rows),
  rescaling: one(() => l.rescaling({ scale: 0.5, offset: -1 }), image),
  reshape: one(() => l.reshape({ targetShape: [-1, 2] }), rows),
  resizing: one(() => l.resizing({ height: 3, width: 7 }), image),
  rnn: one(() => l.rnn({ cell: [l.simpleRNNCell(recurrent), l.gruCell(recurrent)] as never, returnSequences: true }), series),
  separableConv2d: one(() => l.separableConv2d({ filters: 4, kernelSize: 3, padding: 'same', depthMultiplier: 2 }), image),
  simpleRNN: one(() => l.simpleRNN({ ...recurrent, activation: 'relu' }), series),
  simpleRNNCell: one(() => l.rnn({ cell: l.simpleRNNCell(recurrent) }), [2, 4, 3]),
  softmax: one(() => l.softmax({ axis: -1 }), rows),
  spatialDropout1d: one(() => l.spatialDropout1d({ rate: 0.4 }), series),
  stackedRNNCells: one(() => l.rnn({ cell: l.stackedRNNCells({ cells: [l.lstmCell(recurrent), l.lstmCell(recurrent)] }) }), series),
  thresholdedReLU: { layer: () => l.thresholdedReLU({ theta: 0.3 }), inputs: [rows], noGradient: 'Greater has none' },
  timeDistributed: one(() => l.timeDistributed({ layer: l.dense({ units: 2 }) }), series),
  upSampling2d: one(() => l.upSampling2d({ size: [2, 3] }), image),
  zeroPadding2d: one(() => l.zeroPadding2d({ padding: [[1, 0], [2, 1]] }), image), // prettier-ignore
};

/** Other names of the same functions. */
export const layerAliases: Readonly<Record<string, string>> = {
  avgPool1d: 'averagePooling1d',
  avgPooling1d: 'averagePooling1d',
  avgPool2d: 'averagePooling2d',
  avgPooling2d: 'averagePooling2d',
  avgPool3d: 'averagePooling3d',
  avgPooling3d: 'averagePooling3d',
  globalMaxPool1d: 'globalMaxPooling1d',
  globalMaxPool2d: 'globalMaxPooling2d',
  maxPool1d: 'maxPooling1d',
  maxPool2d: 'maxPooling2d',
};

/** No layers: classes to extend, and the function that makes a symbolic input. */
export const noLayers: readonly string[] = ['Layer', 'RNN', 'RNNCell', 'input'];
