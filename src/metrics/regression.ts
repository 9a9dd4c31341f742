import { UsageError } from '../errors.js';
import { MeanMetricWrapper } from './mean.js';
import { named, type NameOr } from './metric.js';
import {
  cosineSimilarity,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  squaredDifference,
} from './values.js';

/** The mean of (y − ŷ)²; the last dimension is averaged, weights weight rows. */
export class MeanSquaredError extends MeanMetricWrapper {
  /** @param name key in logs; default `mean_squared_error`. */
  constructor(name: NameOr<object> = {}) {
    super(meanSquaredError, named(name, 'mean_squared_error').name);
  }
}

/** √ of the mean of (y − ŷ)² over all elements; weights weight elements, or rows if they have fewer dimensions. */
export class RootMeanSquaredError extends MeanMetricWrapper {
  /** @param name key in logs; default `root_mean_squared_error`. */
  constructor(name: NameOr<object> = {}) {
    super(squaredDifference, named(name, 'root_mean_squared_error').name);
  }

  override result(): number {
    return Math.sqrt(super.result());
  }
}

/** The mean of |y − ŷ|. */
export class MeanAbsoluteError extends MeanMetricWrapper {
  /** @param name key in logs; default `mean_absolute_error`. */
  constructor(name: NameOr<object> = {}) {
    super(meanAbsoluteError, named(name, 'mean_absolute_error').name);
  }
}

/** The mean of 100·|y − ŷ|/|y|, with |y| at least 1e-7. */
export class MeanAbsolutePercentageError extends MeanMetricWrapper {
  /** @param name key in logs; default `mean_absolute_percentage_error`. */
  constructor(name: NameOr<object> = {}) {
    super(meanAbsolutePercentageError, named(name, 'mean_absolute_percentage_error').name);
  }
}

/** The mean of ln cosh(ŷ − y). */
export class LogCoshError extends MeanMetricWrapper {
  /** @param name key in logs; default `logcosh`. */
  constructor(name: NameOr<object> = {}) {
    super(logCosh, named(name, 'logcosh').name);
  }
}

/** The mean of y·ŷ/(‖y‖·‖ŷ‖). */
export class CosineSimilarity extends MeanMetricWrapper {
  /** @param options name in logs (default `cosine_similarity`) and the axis of the vectors (default −1, the last). */
  constructor(options: NameOr<{ axis?: number }> = {}) {
    const {
      name,
      options: { axis = -1 },
    } = named(options, 'cosine_similarity');
    if (!Number.isInteger(axis)) throw new UsageError(`CosineSimilarity: axis must be a whole number, but is ${axis}.`);
    super((labels, predictions) => cosineSimilarity(labels, predictions, axis), name);
  }
}
