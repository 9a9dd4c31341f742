/** Layers that draw random numbers or keep state of their own: stopped, resumed, bit for bit the same. */
import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { traceOf, type Case } from './resume.js';

const dense = () => tf.layers.dense({ units: 4, activation: 'relu' });
const layers: Record<string, () => tf.layers.Layer[]> = {
  dropout: () => [dense(), tf.layers.dropout({ rate: 0.4 })],
  'seeded dropout': () => [dense(), tf.layers.dropout({ rate: 0.4, seed: 5 })],
  alphaDropout: () => [dense(), tf.layers.alphaDropout({ rate: 0.3 })],
  gaussianDropout: () => [dense(), tf.layers.gaussianDropout({ rate: 0.3 })],
  gaussianNoise: () => [tf.layers.gaussianNoise({ stddev: 0.2 }), dense()],
  spatialDropout1d: () => [tf.layers.reshape({ targetShape: [2, 1] }), tf.layers.spatialDropout1d({ rate: 0.3 } as never), tf.layers.flatten()],
  batchNormalization: () => [dense(), tf.layers.batchNormalization({})],
  'lstm with dropout': () => [tf.layers.reshape({ targetShape: [2, 1] }), tf.layers.lstm({ units: 3, dropout: 0.3, recurrentInitializer: 'glorotUniform' })],
  embedding: () => [tf.layers.embedding({ inputDim: 10, outputDim: 2 }), tf.layers.flatten()],
  'several at once': () => [dense(), tf.layers.dropout({ rate: 0.2 }), dense(), tf.layers.gaussianNoise({ stddev: 0.1 }), tf.layers.batchNormalization({})],
}; // prettier-ignore
const available = Object.keys(layers).filter((name) => name !== 'spatialDropout1d' || 'spatialDropout1d' in tf.layers);

describe('a stopped run goes on exactly with the layer', () => {
  it.each(available.map((name, i) => [name, 2 + (i % 8)] as const))('%s (stopped at step %i)', async (name, step) => {
    const each: Case = { layers: layers[name]!, trainer: { validation_interval: 100 } };
    expect(await traceOf(each, [{ step }])).toEqual(await traceOf(each));
  });
});
