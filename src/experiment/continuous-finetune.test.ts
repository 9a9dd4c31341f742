import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, NotImplementedModeError } from '../errors.js';
import type { ActionContext, Output } from '../orbit/index.js';
import { readEvents } from '../summary/index.js';
import { runContinuousFinetune, Task } from './index.js';
import type { ContinuousFinetuneOptions, ExperimentConfig } from './index.js';
import { run, toyParams, toyRunner, useToyRuns, weightsOf } from './toy-run.testing.js';
import { ToyTask } from './toy-task.testing.js';

useToyRuns();

const pretrained = (): string => path.join(run.modelDir, 'pretraining');
const options = (params: ExperimentConfig, more: Partial<ContinuousFinetuneOptions> = {}): ContinuousFinetuneOptions => ({
  ...{ mode: 'continuous_train_and_eval', params, modelDir: path.join(run.modelDir, 'finetuned'), minIntervalSeconds: 0 },
  ...{ run: { reporter: {}, log: () => {} }, ...more },
});

/** Fine-tuning of two steps with the default initialisation, which the toy task has not. */
function finetuning(trainer: object = {}): ExperimentConfig {
  ToyTask.prototype.initialize = Task.prototype.initialize as never;
  const params = toyParams({ train_steps: 2, steps_per_loop: 2, summary_interval: 2, continuous_eval_timeout: 0, ...trainer });
  params.task.init_checkpoint = pretrained();
  params.task.name = 'spam';
  return params;
}

describe('runContinuousFinetune', () => {
  it('fine-tunes from each checkpoint that appears, leaves results and summaries by its step, and removes its own checkpoints', async () => {
    const initialize = ToyTask.prototype.initialize;
    const params = finetuning({
      best_checkpoint_export_subdir: 'best',
      best_checkpoint_eval_metric: 'mae',
      best_checkpoint_metric_comp: 'lower',
    });
    let taken = 0;
    const pretrain = async (train_steps: number): Promise<number[][]> => {
      const runner = toyRunner(toyParams({ train_steps }), { modelDir: pretrained() });
      await runner.run();
      return weightsOf(runner.trainer);
    };
    await pretrain(3);
    const onTrain = async (_output: Output, { globalStep }: ActionContext): Promise<void> => {
      expect(globalStep.value).toBe(2);
      if (taken++ === 0) await pretrain(6); // a newer checkpoint appears meanwhile
    };
    try {
      const results = await runContinuousFinetune(
        options(params, { runPostEval: true, run: { reporter: {}, log: () => {}, trainActions: [onTrain] } }),
      );
      expect(taken).toBe(2);
      const directory = path.join(run.modelDir, 'finetuned');
      const metrics = JSON.parse(readFileSync(path.join(directory, 'metrics-6.json'), 'utf8')) as Record<string, string>;
      expect(Object.keys(metrics)).toEqual(['mae', 'rmse', 'validation_loss', 'best_mae']);
      expect(metrics['mae']).toBe(String(results['mae']));
      expect(existsSync(path.join(directory, 'metrics-3.json'))).toBe(true);
      expect(readdirSync(directory).filter((name) => name.startsWith('ckpt-') || name === 'checkpoint')).toEqual([]);
      expect(existsSync(path.join(directory, 'best_3/info.json')) && existsSync(path.join(directory, 'best_6/info.json'))).toBe(true);
      const [file] = readdirSync(path.join(directory, 'eval'));
      const events = await readEvents(path.join(directory, 'eval', file!));
      const losses = events.filter((e) => e.values.some((v) => v.tag === 'finetuned_spam/validation_loss'));
      expect(losses.map((e) => Number(e.step))).toEqual([3, 6]);
      expect(params.task.init_checkpoint).toBe(pretrained());
    } finally {
      ToyTask.prototype.initialize = initialize;
    }
  });

  it('refuses other modes, and a directory that does not appear', async () => {
    const params = toyParams();
    await expect(runContinuousFinetune(options(params, { mode: 'train' }))).rejects.toThrow(NotImplementedModeError);
    await expect(runContinuousFinetune(options(params))).rejects.toThrow(ConfigError);
    params.task.init_checkpoint = path.join(run.modelDir, 'never');
    await expect(runContinuousFinetune(options(params, { retrySeconds: 0 }))).rejects.toThrow(
      /init_checkpoint.*is no directory after 60 looks/,
    );
  });
});
