import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { createMetric, type Metric } from './index.js';

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

type Batch = [labels: number[], predictions: number[] | number[][], weights?: number[]];

/** Class, options, batches, the result by hand. */
const cases: [string, object, Batch[], number][] = [
  [
    'R2Score',
    {},
    [
      [
        [3, -0.5],
        [2.5, 0],
      ],
      [
        [2, 7],
        [2, 8],
      ],
    ],
    1 - 1.5 / 29.1875,
  ],
  [
    'R2Score',
    {},
    [
      [
        [10_003, 9999.5],
        [10_002.5, 10_000],
      ],
      [
        [10_002, 10_007],
        [10_002, 10_008],
      ],
    ],
    1 - 1.5 / 29.1875,
  ],
  [
    'R2Score',
    {},
    [
      [
        [1, 2, 3, 9],
        [1, 2, 4, 0],
        [1, 2, 1, 0],
      ],
    ],
    1 - 1 / 2,
  ],
  [
    'R2Score',
    {},
    [
      [
        [5, 5],
        [5, 5],
      ],
    ],
    1,
  ],
  [
    'R2Score',
    {},
    [
      [
        [5, 5],
        [5, 6],
      ],
    ],
    0,
  ],
  // true positives 6, false negatives 2, false positives 1, true negatives 3
  [
    'MatthewsCorrelation',
    {},
    [
      [
        [1, 1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 0, 0],
      ],
      [
        [0, 0, 0, 0],
        [0, 0, 0, 1],
      ],
    ],
    16 / Math.sqrt(7 * 8 * 4 * 5),
  ],
  [
    'MatthewsCorrelation',
    {},
    [
      [
        [1, 0],
        [1, 0],
        [8, 2],
      ],
      [
        [1, 0],
        [0, 1],
        [0, 0],
      ],
    ],
    1,
  ],
  [
    'MatthewsCorrelation',
    {},
    [
      [
        [1, 0, 1],
        [1, 1, 1],
      ],
    ],
    0,
  ],
  // c = 3, s = 4, t = (2, 1, 1), p = (1, 2, 1)
  [
    'MatthewsCorrelation',
    { num_classes: 3 },
    [
      [
        [0, 0],
        [0, 1],
      ],
      [
        [1, 2],
        [1, 2],
      ],
    ],
    (3 * 4 - 5) / (16 - 6),
  ],
  [
    'CohenKappa',
    { num_classes: 3 },
    [
      [
        [0, 0],
        [0, 1],
      ],
      [
        [1, 2],
        [1, 2],
      ],
    ],
    (3 / 4 - 5 / 16) / (1 - 5 / 16),
  ],
  // Cohen's example: 50 pairs, both yes 20, both no 15
  [
    'CohenKappa',
    {},
    [
      [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
        [20, 5, 10, 15],
      ],
    ],
    0.4,
  ],
  [
    'CohenKappa',
    {},
    [
      [
        [1, 0],
        [
          [0.1, 0.9],
          [0.8, 0.2],
        ],
      ],
    ],
    1,
  ],
  [
    'CohenKappa',
    {},
    [
      [
        [1, 1],
        [1, 1],
      ],
    ],
    0,
  ],
  // bins of a half: (0, ½] and (½, 1]; confidences 0.9 right, 0.6 wrong, 0.5 right
  [
    'ExpectedCalibrationError',
    { num_bins: 2 },
    [
      [
        [0, 1],
        [
          [0.9, 0.1],
          [0.6, 0.4],
        ],
      ],
      [[0], [[0.5, 0.5]]],
    ],
    (0.5 + 0.5) / 3,
  ],
  [
    'ExpectedCalibrationError',
    { num_bins: 2 },
    [
      [
        [0, 1],
        [
          [0.9, 0.1],
          [0.6, 0.4],
        ],
        [3, 1],
      ],
    ],
    Math.abs(3 * 0.1 - 0.6) / 4,
  ],
  ['ExpectedCalibrationError', { from_logits: true }, [[[1], [[0, Math.log(3)]]]], 0.25],
  [
    'Perplexity',
    {},
    [
      [
        [0, 1],
        [
          [0.5, 0.5],
          [0.75, 0.25],
        ],
      ],
    ],
    Math.sqrt(8),
  ],
  ['Perplexity', { from_logits: true }, [[[2], [[1, 1, 1, 1]]]], 4],
];

function feed([labels, predictions, weights]: Batch): tf.Tensor[] {
  return [tf.tensor(labels), tf.tensor(predictions), ...(weights ? [tf.tensor(weights)] : [])];
}

function update(metric: Metric, [labels, predictions, weights]: tf.Tensor[]): void {
  metric.updateState(labels!, predictions, weights);
}

describe('metrics give what the formula gives by hand, eagerly and compiled', () => {
  it.each(cases)('%s %j of %j is %d', async (className, options, batches, wanted) => {
    const [eager, compiled] = [createMetric(className, { ...options }), createMetric(className, { ...options })];
    expect(eager.result()).toBe(0);
    const step = compile((...args: tf.Tensor[]) => update(compiled, args));
    for (const batch of batches) {
      update(eager, feed(batch));
      await step(...feed(batch));
    }
    for (const metric of [eager, compiled]) expect(metric.result()).toBeCloseTo(wanted, 5);
    eager.resetState();
    expect(eager.result()).toBe(0);
    step.dispose();
  });

  it('with weights of rows, also where there are as many rows as columns', () => {
    const labels = tf.tensor2d(
      [
        [1, 0],
        [1, 0],
      ],
      [2, 2],
      'int32',
    );
    const predictions = tf.tensor2d(
      [
        [1, 0],
        [0, 1],
      ],
      [2, 2],
      'int32',
    );
    const [kappa, r2] = [createMetric('CohenKappa'), createMetric('R2Score')];
    for (const metric of [kappa, r2]) metric.updateState(labels, predictions, tf.tensor1d([3, 1]));
    expect(kappa.result()).toBeCloseTo(0.5, 6); // 6 of 8 right, 4 by chance
    expect(r2.result()).toBeCloseTo(0, 6); // 1 − 2/2
  });

  it('and refuse shapes that do not fit, naming both', () => {
    expect(() => createMetric('CohenKappa').updateState(tf.zeros([4]), tf.zeros([4, 3]))).toThrow(
      /\[4,3\] do not fit labels of shape \[4\]/,
    );
    expect(() => createMetric('ExpectedCalibrationError').updateState(tf.zeros([4]), tf.zeros([4]))).toThrow(/shape …|\[…, classes\]/);
    expect(() => createMetric('R2Score').updateState(tf.zeros([4]), tf.zeros([3]))).toThrow(/must have the same shape/);
    expect(() => createMetric('MatthewsCorrelation', { num_classes: 1 })).toThrow(/at least 2/);
  });
});
