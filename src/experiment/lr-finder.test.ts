import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.js';
import { findLearningRate, getTask } from './index.js';
import { run, toyParams, useToyRuns } from './toy-run.testing.js';

useToyRuns(24);

const params = () =>
  toyParams(
    {
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 123 } } },
    },
    { train_data: { is_training: true, global_batch_size: 24 } },
  );

describe('findLearningRate', () => {
  it('sweeps the rates on a logarithmic scale, suggests one at which plain gradient descent converges, and writes nothing', async () => {
    const config = params();
    const seen: number[] = [];
    const search = await findLearningRate({
      ...{ task: getTask(config.task), params: config, minLearningRate: 1e-5, maxLearningRate: 100, steps: 141 },
      onStep: ({ learningRate }) => seen.push(learningRate),
    });
    seen.forEach((rate, i) => expect(Math.log10(rate)).toBeCloseTo(-5 + i / 20, 5));
    expect(search.points.length).toBeLessThan(141); // it ended where the loss grew
    // Gradient descent on this quadratic loss converges below 2 / (largest curvature), which lies between 0.3 and 3 for rows in [-1, 1].
    expect(search.suggestion).toBeGreaterThan(1e-3);
    expect(search.suggestion).toBeLessThan(3);
    expect(search.suggestion).toBeLessThan(search.atSmallestLoss);
    expect(readdirSync(run.modelDir)).toEqual([]);
    expect(config.trainer.optimizer_config.learning_rate.type).toBe('constant');
  });

  it('gives the same numbers each time', async () => {
    const search = async () => {
      const config = params();
      return (await findLearningRate({ task: getTask(config.task), params: config, steps: 20 })).points;
    };
    expect(await search()).toEqual(await search());
  });

  it.each([{ steps: 3 }, { minLearningRate: 0 }, { minLearningRate: 1, maxLearningRate: 0.1 }])('refuses %o', async (options) => {
    const config = params();
    await expect(findLearningRate({ task: getTask(config.task), params: config, ...options })).rejects.toThrow(ConfigError);
  });
});
