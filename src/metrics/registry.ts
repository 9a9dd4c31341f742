import { ConfigError } from '../errors.js';
import {
  Accuracy,
  BinaryAccuracy,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
  SparseTopKCategoricalAccuracy,
  TopKCategoricalAccuracy,
} from './accuracy.js';
import { AUC } from './auc.js';
import { ExpectedCalibrationError } from './calibration.js';
import { CohenKappa, ConfusionMatrix, MatthewsCorrelation } from './confusion-matrix.js';
import { FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives } from './confusion.js';
import { BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy } from './crossentropy.js';
import { F1Score, FBetaScore } from './fscore.js';
import { IoU, MeanIoU } from './iou.js';
import { Mean, Sum } from './mean.js';
import type { Metric } from './metric.js';
import { Perplexity } from './perplexity.js';
import { R2Score } from './r2.js';
import {
  CosineSimilarity,
  LogCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  RootMeanSquaredError,
} from './regression.js';

const classes: Record<string, { make: new (options: never) => Metric; options: readonly string[] }> = {
  Mean: { make: Mean, options: [] },
  Sum: { make: Sum, options: [] },
  Accuracy: { make: Accuracy, options: [] },
  SparseCategoricalAccuracy: { make: SparseCategoricalAccuracy, options: [] },
  CategoricalAccuracy: { make: CategoricalAccuracy, options: [] },
  BinaryAccuracy: { make: BinaryAccuracy, options: ['threshold'] },
  SparseTopKCategoricalAccuracy: { make: SparseTopKCategoricalAccuracy, options: ['k'] },
  TopKCategoricalAccuracy: { make: TopKCategoricalAccuracy, options: ['k'] },
  SparseCategoricalCrossentropy: { make: SparseCategoricalCrossentropy, options: ['from_logits'] },
  CategoricalCrossentropy: { make: CategoricalCrossentropy, options: ['from_logits', 'label_smoothing'] },
  BinaryCrossentropy: { make: BinaryCrossentropy, options: ['from_logits', 'label_smoothing'] },
  MeanSquaredError: { make: MeanSquaredError, options: [] },
  RootMeanSquaredError: { make: RootMeanSquaredError, options: [] },
  MeanAbsoluteError: { make: MeanAbsoluteError, options: [] },
  MeanAbsolutePercentageError: { make: MeanAbsolutePercentageError, options: [] },
  LogCoshError: { make: LogCoshError, options: [] },
  CosineSimilarity: { make: CosineSimilarity, options: ['axis'] },
  Precision: { make: Precision, options: ['thresholds', 'top_k', 'class_id'] },
  Recall: { make: Recall, options: ['thresholds', 'top_k', 'class_id'] },
  TruePositives: { make: TruePositives, options: ['thresholds'] },
  FalsePositives: { make: FalsePositives, options: ['thresholds'] },
  TrueNegatives: { make: TrueNegatives, options: ['thresholds'] },
  FalseNegatives: { make: FalseNegatives, options: ['thresholds'] },
  AUC: {
    make: AUC,
    options: ['num_thresholds', 'curve', 'summation_method', 'thresholds', 'multi_label', 'num_labels', 'label_weights', 'from_logits'],
  },
  F1Score: { make: F1Score, options: ['average', 'threshold'] },
  FBetaScore: { make: FBetaScore, options: ['average', 'threshold', 'beta'] },
  IoU: { make: IoU, options: ['num_classes', 'target_class_ids', 'ignore_class'] },
  R2Score: { make: R2Score, options: [] },
  MatthewsCorrelation: { make: MatthewsCorrelation, options: ['num_classes'] },
  ConfusionMatrix: { make: ConfusionMatrix, options: ['num_classes'] },
  CohenKappa: { make: CohenKappa, options: ['num_classes'] },
  ExpectedCalibrationError: { make: ExpectedCalibrationError, options: ['num_bins', 'from_logits'] },
  Perplexity: { make: Perplexity, options: ['from_logits'] },
  MeanIoU: { make: MeanIoU, options: ['num_classes', 'ignore_class'] },
};

/**
 * Makes a metric from its class name and options in snake_case, as a config gives them.
 *
 * @example
 * createMetric('SparseTopKCategoricalAccuracy', { k: 3, name: 'top_3' });
 * @throws ConfigError for an unknown class or option, listing the known ones.
 */
export function createMetric(className: string, options: Readonly<Record<string, unknown>> = {}): Metric {
  const entry = Object.hasOwn(classes, className) ? classes[className] : undefined;
  if (!entry) throw new ConfigError(`"${String(className)}" is no metric. Known metrics: ${Object.keys(classes).join(', ')}.`);
  const known = ['name', ...entry.options];
  const camel: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key))
      throw new ConfigError(`${className} has no option "${key}". Known options: ${known.join(', ')}.`, { path: key });
    if (value !== null && value !== undefined) camel[key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())] = value;
  }
  return new entry.make(camel as never);
}
