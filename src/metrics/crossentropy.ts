import { UsageError } from '../errors.js';
import { MeanMetricWrapper } from './mean.js';
import { named, type NameOr } from './metric.js';
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './values.js';

/** Options of the cross-entropy metrics. */
export interface CrossentropyOptions {
  /** Whether predictions are logits rather than probabilities. Default false. */
  fromLogits?: boolean;
  /** How much of each label is spread evenly over the classes, in [0, 1]. Default 0. */
  labelSmoothing?: number;
}

/** The mean of −ln of the predicted probability of the label, given as a class number. */
export class SparseCategoricalCrossentropy extends MeanMetricWrapper {
  /** @param options name in logs (default `sparse_categorical_crossentropy`) and whether predictions are logits. */
  constructor(options: NameOr<Pick<CrossentropyOptions, 'fromLogits'>> = {}) {
    const {
      name,
      options: { fromLogits = false },
    } = named(options, 'sparse_categorical_crossentropy');
    super((labels, predictions) => sparseCategoricalCrossentropy(labels, predictions, fromLogits), name);
  }
}

/** The mean of −Σ y·ln ŷ over one-hot labels. */
export class CategoricalCrossentropy extends MeanMetricWrapper {
  /** @param options name in logs (default `categorical_crossentropy`), logits, label smoothing. */
  constructor(options: NameOr<CrossentropyOptions> = {}) {
    const {
      name,
      options: { fromLogits = false, labelSmoothing = 0 },
    } = named(options, 'categorical_crossentropy');
    checkSmoothing(labelSmoothing);
    super((labels, predictions) => categoricalCrossentropy(labels, predictions, fromLogits, labelSmoothing), name);
  }
}

/** The mean of −(y·ln ŷ + (1 − y)·ln(1 − ŷ)) over labels 0 and 1. */
export class BinaryCrossentropy extends MeanMetricWrapper {
  /** @param options name in logs (default `binary_crossentropy`), logits, label smoothing. */
  constructor(options: NameOr<CrossentropyOptions> = {}) {
    const {
      name,
      options: { fromLogits = false, labelSmoothing = 0 },
    } = named(options, 'binary_crossentropy');
    checkSmoothing(labelSmoothing);
    super((labels, predictions) => binaryCrossentropy(labels, predictions, fromLogits, labelSmoothing), name);
  }
}

function checkSmoothing(labelSmoothing: number): void {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new UsageError(`Cross-entropy: labelSmoothing must be in [0, 1], but is ${labelSmoothing}.`);
}
