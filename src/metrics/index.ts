/** Streaming metrics. Their state lives in variables, so that a compiled step updates them in its graph. */
export {
  Accuracy,
  BinaryAccuracy,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
  SparseTopKCategoricalAccuracy,
  TopKCategoricalAccuracy,
} from './accuracy.js';
export { AUC, type AUCOptions } from './auc.js';
export { ExpectedCalibrationError, type ExpectedCalibrationErrorOptions } from './calibration.js';
export {
  type Counts,
  FalseNegatives,
  FalsePositives,
  Precision,
  type PrecisionRecallOptions,
  Recall,
  ThresholdMetric,
  type ThresholdOptions,
  TrueNegatives,
  TruePositives,
} from './confusion.js';
export {
  CohenKappa,
  ConfusionMatrix,
  ConfusionMatrixMetric,
  type ConfusionMatrixOptions,
  MatthewsCorrelation,
} from './confusion-matrix.js';
export { BinaryCrossentropy, CategoricalCrossentropy, type CrossentropyOptions, SparseCategoricalCrossentropy } from './crossentropy.js';
export { F1Score, type F1ScoreOptions, FBetaScore } from './fscore.js';
export { IoU, type IoUOptions, MeanIoU, type MeanIoUOptions } from './iou.js';
export * as losses from './losses.js';
export type {
  CosineLossOptions,
  CrossentropyLossOptions,
  HuberLossOptions,
  LossOptions,
  Reduction,
  SparseCrossentropyLossOptions,
} from './losses.js';
export { Mean, MeanMetricWrapper, Sum, type ValueFunction } from './mean.js';
export { Metric, type NameOr } from './metric.js';
export { Perplexity } from './perplexity.js';
export { R2Score } from './r2.js';
export {
  CosineSimilarity,
  LogCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  RootMeanSquaredError,
} from './regression.js';
export { createMetric } from './registry.js';
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  cosineSimilarity,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from './values.js';
