/** A run that is stopped anywhere continues as if nothing had happened: every step, every batch of every evaluation. */
import * as tf from '#tf';
import { beforeAll, describe, expect, it } from 'vitest';
import { traceOf, type Case, type Stop, type Trace } from './resume.js';

const example: Case = {
  compiled: true,
  layers: () => [tf.layers.dense({ units: 3, activation: 'tanh' }), tf.layers.dropout({ rate: 0.3 })],
  trainer: { optimizer_config: { optimizer: { type: 'adam' }, ema: { start_step: 0, average_decay: 0.9 }, learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.05, decay_steps: 20 } } } },
}; // prettier-ignore

let whole: Trace;
beforeAll(async () => {
  whole = await traceOf(example);
}, 60_000);

describe('a run that is stopped and resumed', () => {
  it('is compared by something: loops, evaluations, batches and event files are all there', () => {
    expect(Object.keys(whole.logs)).toEqual(['train 4', 'train 6', 'eval 6', 'train 10', 'eval 10']);
    expect(Object.keys(whole.samples).length).toBe(10);
    expect(Object.keys(whole.events)).toEqual(expect.arrayContaining(['train training_loss 4', 'validation best_deviation 10']));
    expect(Object.keys(whole.state).length).toBeGreaterThan(15);
  });

  const everywhere: Stop[] = [
    ...Array.from({ length: 9 }, (_, i) => ({ step: i + 1 })),
    { evaluation: 0, batch: 1 },
    { evaluation: 0, batch: 2 },
    { evaluation: 1, batch: 1 },
  ];
  it.each(everywhere)('%j is bit for bit the one that never stopped', async (stop) => {
    expect(await traceOf(example, [stop])).toEqual(whole);
  });

  it('again and again is, too, with checkpoints in the background', async () => {
    const stops: Stop[] = [{ step: 1 }, { step: 3 }, { evaluation: 0, batch: 2 }, { step: 7 }, { step: 9 }, { evaluation: 0, batch: 1 }];
    expect(await traceOf(example, stops, { enableAsyncCheckpointing: true })).toEqual(whole);
  });
});

describe('actions with a state of their own', () => {
  const watching: Case = {
    ...example,
    trainer: {
      ...example.trainer,
      validation_interval: 2,
      steps_per_loop: 2,
      early_stopping: { metric: 'deviation', patience: 2, min_delta: 1 },
      reduce_on_plateau: { metric: 'deviation', patience: 1, factor: 0.5, min_delta: 1 },
    },
  };

  it.each([3, 5])('count evaluations on where they were when the run stopped at step %i', async (step) => {
    const all = await traceOf(watching);
    const evaluations = Object.keys(all.logs).filter((name) => name.startsWith('eval'));
    expect(evaluations).toEqual(['eval 2', 'eval 4', 'eval 6']); // no evaluation is better by 1: the third ends the run
    expect(await traceOf(watching, [{ step }])).toEqual(all);
  });
});
