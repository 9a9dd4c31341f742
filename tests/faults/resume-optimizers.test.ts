/** Every built-in optimizer and schedule, gradient clipping and averaging: stopped in mid-loop, resumed, bit for bit the same. */
import { describe, expect, it } from 'vitest';
import type { TrainerConfigInput } from '../../src/experiment/index.js';
import { lrConfig, warmupConfig } from '../../src/optimization/index.js';
import { optimizerTypes } from '../../src/optimization/registry.js';
import { traceOf } from './resume.js';

type Optimization = NonNullable<TrainerConfigInput['optimizer_config']>;

const constant = { type: 'constant', constant: { learning_rate: 0.05 } } as const;

async function expectExact(optimization: Optimization, step: number): Promise<void> {
  const each = { trainer: { optimizer_config: optimization, validation_interval: trainAll } };
  const whole = await traceOf(each);
  expect(Object.keys(whole.samples).length).toBe(10);
  expect(await traceOf(each, [{ step }])).toEqual(whole);
}

/** One evaluation at the end is enough here. */
const trainAll = 100;

describe('a stopped run goes on exactly with the optimizer', () => {
  const types = optimizerTypes().filter((type) => type !== 'slide'); // a name without an implementation
  it.each(types.map((type, i) => [type, 2 + (i % 8)] as const))('%s (stopped at step %i)', async (type, step) => {
    await expectExact({ optimizer: { type } as never, learning_rate: constant }, step);
  });

  it('with averaged weights that begin later than the stop, and with clipped gradients', async () => {
    await expectExact({ optimizer: { type: 'sgd', sgd: { momentum: 0.9, clipnorm: 0.1 } }, ema: { start_step: 5 }, learning_rate: constant }, 3);
    await expectExact({ optimizer: { type: 'sgd', sgd: { momentum: 0.9, global_clipnorm: 0.1 } }, ema: { start_step: 5 }, learning_rate: constant }, 8);
  }); // prettier-ignore
});

describe('a stopped run goes on exactly with the schedule', () => {
  const schedules: Record<string, object> = {
    constant: { learning_rate: 0.05 },
    stepwise: { boundaries: [3, 6], values: [0.1, 0.05, 0.01] },
    exponential: { initial_learning_rate: 0.1, decay_steps: 5, decay_rate: 0.5 },
    polynomial: { initial_learning_rate: 0.1, decay_steps: 8, power: 2 },
    cosine: { initial_learning_rate: 0.1, decay_steps: 9 },
    power: { initial_learning_rate: 0.1 },
    power_linear: { initial_learning_rate: 0.1, total_decay_steps: 10 },
    power_with_offset: { initial_learning_rate: 0.1, offset: 2, pre_offset_learning_rate: 0.2 },
    step_cosine_with_offset: { boundaries: [3, 8], values: [0.1, 0.05], offset: 1 },
    one_cycle: { max_learning_rate: 0.1, total_steps: 10 },
    inverse_sqrt: { max_learning_rate: 0.1, warmup_steps: 3 },
    warmup_stable_decay: { max_learning_rate: 0.1, warmup_steps: 2, stable_steps: 3, decay_steps: 5 },
  };
  const typesOf = (schema: (values: object) => object): string[] => Object.keys(schema({})).filter((name) => name !== 'type');

  it('of every name that a config knows', () => {
    expect(Object.keys(schedules).sort()).toEqual(typesOf(lrConfig as never).sort());
    expect(typesOf(warmupConfig as never).sort()).toEqual(['linear', 'polynomial']);
  });

  it.each(Object.keys(schedules).map((type, i) => [type, 2 + (i % 8)] as const))('%s (stopped at step %i)', async (type, step) => {
    const learning_rate = { type, [type]: schedules[type] } as never;
    await expectExact({ optimizer: { type: 'sgd' }, learning_rate }, step);
  });

  it.each(['linear', 'polynomial'] as const)('constant after a %s warm-up', async (type) => {
    await expectExact({ optimizer: { type: 'sgd' }, learning_rate: constant, warmup: { type, [type]: { warmup_steps: 6 } } as never }, 4);
  });
});
