import { describe, expect, it } from 'vitest';
import { field } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { checkParams, paramNotices } from './check-params.js';
import { experimentConfig, taskConfig } from './config.js';
import type { TrainerConfigInput } from './config.js';

const plan = { mode: 'train_and_eval', saveSummary: true, runPostEval: false };
const check = (trainer: TrainerConfigInput, changes: Partial<typeof plan> = {}): void =>
  checkParams(experimentConfig({ trainer }), { ...plan, ...changes });

describe('checkParams', () => {
  it('accepts the defaults in every mode', () => {
    for (const mode of ['train', 'eval', 'train_and_eval', 'train_and_post_eval', 'continuous_eval'])
      expect(() => check({}, { mode })).not.toThrow();
  });

  it.each<[TrainerConfigInput, string, string]>([
    [{ steps_per_loop: 10, summary_interval: 15 }, 'trainer.summary_interval', 'a multiple of trainer.steps_per_loop (10), got 15'],
    [{ summary_interval: 0 }, 'trainer.summary_interval', 'got 0'],
    [{ train_steps: -1 }, 'trainer.train_steps', 'got -1'],
    [{ max_to_keep: 0 }, 'trainer.max_to_keep', 'got 0'],
    [{ checkpoint_interval: -5 }, 'trainer.checkpoint_interval', 'got -5'],
    [{ validation_steps: 0 }, 'trainer.validation_steps', 'got 0'],
    [{ validation_steps: -2 }, 'trainer.validation_steps', 'got -2'],
    [{ eval_tf_while_loop: true }, 'trainer.validation_steps', 'not -1'],
    [{ validation_interval: -1 }, 'trainer.validation_interval', 'got -1'],
    [{ train_tf_function: false }, 'trainer.train_tf_function', 'trainer.train_tf_while_loop: false'],
    [{ allow_tpu_summary: true, train_tf_while_loop: false }, 'trainer.allow_tpu_summary', 'trainer.train_tf_while_loop: true'],
  ])('refuses %j with the name of the field', (trainer, path, text) => {
    const failure = ((): unknown => {
      try {
        check(trainer);
        return null;
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure).toMatchObject({ path, message: expect.stringContaining(text) as string });
  });

  it('refuses to prune, in a task that has the field', () => {
    const prunable = taskConfig({ pruning: field.record().optional() }, { name: 'PrunableTask' });
    const params = (pruning: object | null) => experimentConfig({ task: prunable({ pruning } as never) });
    expect(() => checkParams(params(null), plan)).not.toThrow();
    expect(() => checkParams(params({ pretrained: true }), plan)).toThrow(/task\.pruning is not supported/);
  });

  it('asks only for what the mode uses', () => {
    expect(() => check({ summary_interval: 0 }, { mode: 'eval' })).not.toThrow();
    expect(() => check({ summary_interval: 0 }, { saveSummary: false })).not.toThrow();
    expect(() => check({ validation_steps: 0 }, { mode: 'train' })).not.toThrow();
    expect(() => check({ validation_steps: 0 }, { mode: 'train', runPostEval: true })).toThrow(ConfigError);
    expect(() => check({ validation_interval: 0 })).not.toThrow(); // only at the end
    expect(() => check({ checkpoint_interval: 0, eval_tf_while_loop: true, validation_steps: 3 })).not.toThrow();
  });
});

describe('paramNotices', () => {
  const notices = (trainer: TrainerConfigInput, mode: string): string[] =>
    paramNotices(experimentConfig({ trainer: { train_steps: 1, ...trainer } }), mode);

  it('tells what will not happen', () => {
    expect(notices({}, 'train_and_eval')).toEqual([]);
    expect(notices({ train_steps: 0 }, 'train')).toEqual([expect.stringContaining('trainer.train_steps is 0')]);
    expect(notices({ checkpoint_interval: 0 }, 'train')).toEqual([expect.stringContaining('nothing is saved')]);
    expect(notices({ best_checkpoint_export_subdir: 'best' }, 'train_and_eval')).toEqual([
      expect.stringContaining('best_checkpoint_eval_metric is empty'),
    ]);
    expect(notices({ best_checkpoint_eval_metric: 'acc' }, 'train_and_eval')).toEqual([
      expect.stringContaining('best_checkpoint_export_subdir is empty'),
    ]);
    expect(notices({ best_checkpoint_eval_metric: 'acc', train_steps: 0 }, 'eval')).toEqual([]);
  });

  it('tells what waits for evaluations that the mode does not make', () => {
    const watched = { early_stopping: { metric: 'loss' }, reduce_on_plateau: { metric: 'loss' } };
    expect(notices(watched, 'train_and_eval')).toEqual([]);
    for (const mode of ['train', 'train_and_post_eval', 'eval', 'continuous_eval']) {
      expect(notices(watched, mode)).toEqual([
        expect.stringMatching(new RegExp(`trainer.early_stopping has no effect: mode ${mode} does not evaluate while it trains`)),
        expect.stringContaining('trainer.reduce_on_plateau has no effect'),
      ]);
    }
    expect(notices({ ...watched, validation_interval: 0 }, 'train_and_eval')[0]).toContain('the only evaluation is at the end');
  });
});
