import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { tryCountFlops, tryCountParams, writeModelParams } from './index.js';
import { sizeLines } from './model-info.js';

const { dense, conv2d, depthwiseConv2d, flatten, lstm } = tf.layers;

describe('tryCountFlops', () => {
  it('counts two operations per product of weight and input, by hand', () => {
    const mlp = tf.sequential({ layers: [dense({ units: 5, inputShape: [3], activation: 'relu' }), dense({ units: 2 })] });
    expect(tryCountFlops(mlp)).toBe(2 * (3 * 5 + 5 * 2));
    expect(tryCountFlops(mlp, 4)).toBe(4 * 2 * (3 * 5 + 5 * 2));
    const cnn = tf.sequential({
      layers: [
        conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 2], padding: 'same' }),
        depthwiseConv2d({ kernelSize: 3, padding: 'valid' }),
        flatten(),
        dense({ units: 10 }),
      ],
    });
    const recurrent = tf.sequential({ layers: [lstm({ units: 2, inputShape: [5, 3] })] }); // short enough to be unrolled
    expect(tryCountFlops(recurrent)).toBe(5 * 2 * (3 + 2) * (4 * 2));
    expect(tryCountFlops(cnn)).toBe(2 * (8 * 8 * 4 * 9 * 2 + 6 * 6 * 4 * 9 + 6 * 6 * 4 * 10));
  });

  it('is null for what is no model, is not built, or repeats', () => {
    expect(tryCountFlops(null)).toBeNull();
    expect(tryCountFlops(tf.sequential())).toBeNull();
    expect(tryCountFlops(tf.sequential({ layers: [lstm({ units: 2, inputShape: [200, 3] })] }))).toBeNull();
  });
});

describe('sizeLines', () => {
  it('counts the weights that training changes, and says how many there are where some are frozen', () => {
    const model = tf.sequential({ layers: [dense({ units: 1000, inputShape: [199] }), dense({ units: 10 })] });
    expect(sizeLines(model)).toEqual(['Number of trained parameters: 0.21 million.', 'Multiply-adds for one example: 0.000209 billion.']);
    model.layers[0]!.trainable = false;
    expect(sizeLines(model)[0]).toBe('Number of trained parameters: 0.010 of 0.21 million.');
  });
});

describe('tryCountParams and writeModelParams', () => {
  it('count weights, and list them', async () => {
    const model = tf.sequential({ layers: [dense({ units: 5, inputShape: [3] }), dense({ units: 2, trainable: false })] });
    expect([tryCountParams(model), tryCountParams(model, true), tryCountParams(tf.sequential())]).toEqual([32, 20, null]);
    const directory = mkdtempSync(path.join(tmpdir(), 'orbit-params-'));
    try {
      await writeModelParams(model, path.join(directory, 'sub/params.txt'));
      const text = readFileSync(path.join(directory, 'sub/params.txt'), 'utf8');
      expect(text).toMatch(/^\S+ \[3, 5\]\n\S+ \[5\]\n\S+ \[5, 2\]\n\S+ \[2\]\n\nTotal params: 32\n$/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
