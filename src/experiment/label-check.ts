/** A look at the labels of every batch: classes that the model has no output for would be learned from in silence. */
import type * as tf from '#tf';
import { DataError } from '../errors.js';
import type { Metric } from '../metrics/index.js';
import { splitInputs } from './model.js';
import type { Model, Tensors } from './model.js';

/** Checks labels where a metric of the task takes them as class numbers and the model says how many classes there are. */
export class LabelCheck {
  /** Number of classes; 0: labels are not checked. */
  readonly #classes: number;
  readonly #taskName: string;

  constructor(model: Model, metrics: readonly Metric[], taskName: string) {
    const isClassified = metrics.some((metric) => metric.constructor.name.startsWith('SparseCategorical'));
    this.#classes = isClassified ? (classCount(model) ?? 0) : 0;
    this.#taskName = taskName;
  }

  /**
   * Looks at a batch as the data gave it.
   * @throws DataError with the label that is out of range
   */
  check(inputs: Tensors): void {
    const classes = this.#classes;
    const labels = classes === 0 ? null : valuesOf(splitInputs(inputs).labels);
    if (labels === null) return;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      if (label >= 0 && label < classes) continue;
      throw new DataError(
        `The labels of ${this.#taskName} should be class numbers from 0 to ${classes - 1}, because the model has ${classes} outputs, but a batch holds ` +
          `${label}. ${label === classes ? 'Do they begin at 1? ' : ''}Correct the labels, or give the last layer as many units as there are classes.`,
      );
    }
  }
}

/** The outputs of a model of layers that has one output; null for any other. */
function classCount(model: Model): number | null {
  const { outputs } = model as Partial<tf.LayersModel>;
  return outputs?.length === 1 ? (outputs[0]!.shape.at(-1) ?? null) : null;
}

/** The numbers of one array or tensor; null for anything else. */
function valuesOf(labels: unknown): ArrayLike<number> | null {
  if (ArrayBuffer.isView(labels)) return labels as unknown as ArrayLike<number>;
  if (typeof labels !== 'object' || labels === null) return null;
  const { data, dataSync } = labels as { data?: unknown; dataSync?: () => ArrayLike<number> };
  if (ArrayBuffer.isView(data)) return data as unknown as ArrayLike<number>;
  return typeof dataSync === 'function' ? dataSync.call(labels) : null;
}
