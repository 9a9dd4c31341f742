import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, UsageError } from '../errors.js';
import { SGD, type Optimizer } from '../optimization/index.js';
import type { OptimizationConfig, RuntimeConfig } from './index.js';
import { run, toyParams, toyRunner, useToyRuns, weightsOf } from './toy-run.testing.js';
import { ToyTask } from './toy-task.testing.js';

useToyRuns();

const sgd = { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 1 } } };
const params = (privacy: object | null, steps = 12, optimizer_config: object = sgd) =>
  toyParams({ train_steps: steps, optimizer_config }, { differential_privacy_config: privacy });
const movedBy = (before: number[][], after: number[][]): number =>
  Math.sqrt(before.flat().reduce((sum, w, i) => sum + (w - after.flat()[i]!) ** 2, 0));

describe('task.differential_privacy_config', () => {
  it('limits how far a step can move the weights', async () => {
    const start = toyRunner(params(null, 0));
    await start.run();
    const runner = toyRunner(params({ clipping_norm: 1e-3 }, 3), { modelDir: path.join(run.modelDir, 'clipped') });
    await runner.run();
    const moved = movedBy(weightsOf(start.trainer), weightsOf(runner.trainer));
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThanOrEqual(3e-3 * 1.001);
  });

  it('adds noise that a resumed run draws as the uninterrupted one does', async () => {
    const noisy = { clipping_norm: 0.1, noise_multiplier: 1 };
    const straight = toyRunner(params(noisy), { modelDir: path.join(run.modelDir, 'straight') });
    await straight.run();
    const plain = toyRunner(params({ clipping_norm: 0.1 }), { modelDir: path.join(run.modelDir, 'plain') });
    await plain.run();
    expect(movedBy(weightsOf(plain.trainer), weightsOf(straight.trainer))).toBeGreaterThan(0.1);
    await toyRunner(params(noisy, 6)).run();
    const resumed = toyRunner(params(noisy));
    await resumed.run();
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
  });

  it("excludes the optimizer's own clipping", async () => {
    const clipped = { ...sgd, optimizer: { type: 'sgd', sgd: { clipnorm: 1 } } };
    await expect(toyRunner(params({}, 3, clipped)).run()).rejects.toThrow(
      /trainer\.optimizer_config\.optimizer\.sgd.*cannot be used together/,
    );
  });

  it('names the field that is out of range', async () => {
    const wrong = toyRunner(params({ noise_multiplier: -1 })).run();
    await expect(wrong).rejects.toThrow(ConfigError);
    await expect(wrong).rejects.toThrow(
      'task.differential_privacy_config.noise_multiplier: expected a number that is not negative, got -1.',
    );
  });

  it('is refused by a task whose createOptimizer would ignore it', async () => {
    class Own extends ToyTask {
      override createOptimizer(_optimizer: OptimizationConfig, _runtime?: RuntimeConfig): Optimizer {
        return new SGD({ learningRate: 0.1 });
      }
    }
    const given = params({ clipping_norm: 1 });
    const refused = toyRunner(given, { task: new Own(given.task as never) }).run();
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(/createOptimizer takes 2 parameters and would ignore task\.differential_privacy_config/);
    const without = params(null);
    await toyRunner(without, { task: new Own(without.task as never) }).run();
  });
});
