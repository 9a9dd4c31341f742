import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as tf from '#tf';
import { Checkpoint } from '../checkpoint/index.js';
import { ConfigError } from '../errors.js';
import type { Trainer } from './index.js';
import { run, toyParams, toyRunner, useToyRuns, weightsOf } from './toy-run.testing.js';

useToyRuns();

const swa = { start_step: 3, every_n_steps: 6 };
const params = (train_steps = 24, more: object = {}) => toyParams({ train_steps, stochastic_weight_averaging: swa, ...more });
/** Weights by step: the loops end at 3, 6, 9, … */
const record =
  (seen: Map<number, number[]>) =>
  (_output: unknown, { globalStep }: { globalStep: { value: number } }) =>
    void seen.set(globalStep.value, weightsOf(recorder.trainer!).flat());
const recorder: { trainer: Trainer | null } = { trainer: null };
const mean = (rows: number[][]): number[] => rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);

describe('stochastic_weight_averaging', () => {
  it('is the plain mean of the weights at its steps, and leaves training as it is', async () => {
    const plain = toyRunner(toyParams({ train_steps: 24 }), { modelDir: path.join(run.modelDir, 'plain') });
    await plain.run();
    const seen = new Map<number, number[]>();
    const runner = toyRunner(params(), { trainActions: [record(seen)] });
    await runner.build();
    recorder.trainer = runner.trainer;
    await runner.run();
    expect(weightsOf(runner.trainer)).toEqual(weightsOf(plain.trainer));
    expect(runner.trainer.weightAverages!.count).toBe(4);
    const trained = weightsOf(runner.trainer);
    runner.trainer.weightAverages!.swapWeights();
    const averages = weightsOf(runner.trainer).flat();
    mean([3, 9, 15, 21].map((step) => seen.get(step)!)).forEach((w, i) => expect(averages[i]).toBeCloseTo(w, 5));
    runner.trainer.weightAverages!.swapWeights();
    expect(weightsOf(runner.trainer)).toEqual(trained);
  });

  it('is what evaluations see and best checkpoints hold, once it has begun', async () => {
    const best = {
      best_checkpoint_export_subdir: 'best',
      best_checkpoint_eval_metric: 'validation_loss',
      best_checkpoint_metric_comp: 'lower',
    };
    const runner = toyRunner(params(24, { ...best, validation_interval: 24 }), { mode: 'train_and_eval' });
    await runner.run();
    const trained = weightsOf(runner.trainer);
    const model = runner.task.buildModel() as tf.LayersModel;
    await new Checkpoint({ model }).read((await runner.trainer.checkpointExporter!.bestCkptPath)!);
    runner.trainer.weightAverages!.swapWeights();
    expect(model.getWeights().map((w) => [...w.dataSync()])).toEqual(weightsOf(runner.trainer));
    expect(weightsOf(runner.trainer)).not.toEqual(trained);
    runner.trainer.weightAverages = null; // evaluates the weights as they are: the averages, which are swapped in
    expect((await runner.trainer.evaluate(-1))['validation_loss']).toBe(runner.result!.eval_logs!['validation_loss']);
    const again = toyRunner(params(24), { mode: 'eval' });
    await again.run();
    expect(again.result!.eval_logs!['validation_loss']).toBe(runner.result!.eval_logs!['validation_loss']);
  });

  it.each([2 * 3, 4 * 3])('resumes exactly from step %i', async (steps) => {
    const averages = (trainer: Trainer): unknown => {
      trainer.weightAverages!.swapWeights();
      return weightsOf(trainer);
    };
    const straight = toyRunner(params(), { mode: 'train_and_eval', modelDir: path.join(run.modelDir, 'straight') });
    await straight.run();
    await toyRunner(params(steps)).run();
    const resumed = toyRunner(params(), { mode: 'train_and_eval', enableAsyncCheckpointing: true });
    await resumed.run();
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
    expect(resumed.result!.eval_logs).toEqual(straight.result!.eval_logs);
    expect(averages(resumed.trainer)).toEqual(averages(straight.trainer));
  });

  it('takes the end of the loop that reaches a step', async () => {
    const runner = toyRunner(params(12, { stochastic_weight_averaging: { start_step: 1, every_n_steps: 4 } }));
    await runner.run();
    expect(runner.trainer.weightAverages!.count).toBe(3); // steps 1, 5, 9 are reached at 3, 6, 9
  });

  it('is refused together with an averaging optimizer', async () => {
    const averaging = {
      optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'constant' }, ema: { average_decay: 0.9 } },
    };
    await expect(toyRunner(params(6, averaging)).run()).rejects.toThrow(ConfigError);
    await expect(toyRunner(params(6, averaging)).run()).rejects.toThrow(/stochastic_weight_averaging: the optimizer averages/);
  });
});
