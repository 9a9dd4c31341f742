import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointError, ConfigError } from '../errors.js';
import type { ActionContext, LogEntry, Output } from '../orbit/index.js';
import type { RunResult } from './index.js';
import { run, toyParams, toyRunner, useToyRuns, weightsOf } from './toy-run.testing.js';
import { ToyTask } from './toy-task.testing.js';

useToyRuns(24);

const result = (): RunResult => JSON.parse(readFileSync(path.join(run.modelDir, 'result.json'), 'utf8')) as RunResult;
const sub = (name: string): { modelDir: string } => ({ modelDir: path.join(run.modelDir, name) });
const unshuffled = (size: number): object => ({ train_data: { is_training: true, global_batch_size: size, shuffle_buffer_size: 1 } });

describe('grad_accumulation_steps', () => {
  const optimizer_config = {
    optimizer: { type: 'adamw', adamw: { gradient_clip_norm: 0.5 } },
    learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.1, decay_steps: 12 } },
    ema: { average_decay: 0.9 },
  };

  it('equals the large batch: losses, metrics, learning rates, weights, averages', async () => {
    const large = toyRunner(toyParams({ optimizer_config }, unshuffled(12)), { mode: 'train_and_eval', ...sub('large') });
    await large.run();
    for (const count of [2, 3]) {
      const params = toyParams({ optimizer_config, grad_accumulation_steps: count }, unshuffled(12 / count));
      const small = toyRunner(params, { mode: 'train_and_eval', ...sub(`small-${count}`) });
      await small.run();
      expect(small.trainer.globalStep.value).toBe(12);
      expect(small.trainer.optimizer.iterations.dataSync()[0]).toBe(12);
      for (const logs of ['train_logs', 'eval_logs'] as const) {
        for (const [key, value] of Object.entries(large.result![logs]!)) {
          expect(small.result![logs]![key], `${logs}.${key}`).toBeCloseTo(value as number, 4);
        }
      }
      weightsOf(small.trainer).flat().forEach((w, i) => expect(w).toBeCloseTo(weightsOf(large.trainer).flat()[i]!, 5)); // prettier-ignore
    }
  });

  it('resumes exactly', async () => {
    const params = (train_steps: number) => toyParams({ train_steps, grad_accumulation_steps: 3 });
    const straight = toyRunner(params(12), sub('straight'));
    await straight.run();
    await toyRunner(params(6)).run();
    const resumed = toyRunner(params(12));
    await resumed.run();
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
  });

  it('counts samples of all batches', async () => {
    const runner = toyRunner(toyParams({ grad_accumulation_steps: 3 }));
    await runner.run();
    expect(runner.result!.samples_per_second! / runner.result!.steps_per_second!).toBeCloseTo(12, 6);
  });
});

describe('early_stopping', () => {
  /** An evaluation that gets better until the step. */
  class Stalling extends ToyTask {
    override reduceAggregatedLogs(_logs: unknown, step = 0): Output {
      return { score: -Math.min(step, 4) };
    }
    override aggregateLogs(): unknown {
      return true;
    }
  }
  const trainer = {
    ...{ train_steps: 100, steps_per_loop: 2, summary_interval: 2, checkpoint_interval: 2, validation_interval: 2 },
    early_stopping: { metric: 'score', patience: 3 },
  };
  const stalling = (more: object = {}): ReturnType<typeof toyRunner> => {
    const params = toyParams({ ...trainer, ...more });
    return toyRunner(params, { task: new Stalling(params.task as never), mode: 'train_and_eval' });
  };

  it('ends the run with a checkpoint and says why', async () => {
    const runner = stalling();
    await runner.run();
    expect(runner.trainer.globalStep.value).toBe(10);
    expect(path.basename(runner.checkpointManager!.latestCheckpoint!)).toBe('ckpt-10');
    expect(result().stopped).toBe('early stopping: score has not been better than -4 for 3 evaluations');
  });

  it('of a resumed run ends at the same step, and stays ended', async () => {
    await stalling({ train_steps: 6 }).run();
    const resumed = stalling();
    await resumed.run();
    expect(resumed.trainer.globalStep.value).toBe(10);
    const again = stalling();
    await again.run();
    expect([again.trainer.globalStep.value, again.trainer.speed.steps]).toEqual([10, 0]);
    const longer = stalling({ early_stopping: { metric: 'score', patience: 5 } });
    await longer.run();
    expect(longer.trainer.globalStep.value).toBe(14);
  });

  it('that watches a result which is not there names those that are', async () => {
    await expect(stalling({ early_stopping: { metric: 'skore' } }).run()).rejects.toThrow(
      /^trainer\.early_stopping\.metric: .*"skore".*mae, rmse, validation_loss, score/,
    );
  });
});

describe('reduce_on_plateau', () => {
  it('lowers the rate of the compiled step, also after a resume', async () => {
    const trainer = { steps_per_loop: 2, summary_interval: 2, validation_interval: 2, checkpoint_interval: 2 };
    const plateau = { metric: 'validation_loss', metric_comp: 'higher', patience: 1, factor: 0.5 }; // which a falling loss never is
    const lines: string[] = [];
    const params = (train_steps: number) => toyParams({ ...trainer, train_steps, reduce_on_plateau: plateau });
    const straight = toyRunner(params(8), { mode: 'train_and_eval', log: (line) => lines.push(line), ...sub('straight') });
    await straight.run();
    expect(straight.trainer.optimizer.currentLearningRate()).toBeCloseTo(0.05 / 8, 10);
    expect(straight.result!.train_logs!['learning_rate']).toBeCloseTo(0.05 / 4, 10);
    expect(lines.filter((line) => line.includes('lowered'))).toHaveLength(3);
    await toyRunner(params(4), { mode: 'train_and_eval' }).run();
    const resumed = toyRunner(params(8), { mode: 'train_and_eval' });
    await resumed.run();
    expect(resumed.trainer.optimizer.currentLearningRate()).toBeCloseTo(0.05 / 8, 10);
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
  });
});

describe('limits', () => {
  it('max_wall_seconds ends the run well, with a checkpoint from which the next one goes on', async () => {
    const lines: string[] = [];
    const runner = toyRunner(toyParams({ train_steps: 1e9, max_wall_seconds: 0.2 }), {
      runPostEval: true,
      log: (line) => lines.push(line),
    });
    expect((await runner.run()).evalLogs).toEqual({});
    const step = runner.trainer.globalStep.value;
    expect(step).toBeGreaterThan(0);
    expect(path.basename(runner.checkpointManager!.latestCheckpoint!)).toBe(`ckpt-${step}`);
    expect(result().stopped).toBe(`trainer.max_wall_seconds: 0.2 seconds are over at step ${step}`);
    const next = toyRunner(toyParams({ train_steps: step + 3 }));
    await next.run();
    expect(path.basename(next.resumedFrom!)).toBe(`ckpt-${step}`);
  });

  it('fast_dev_run tries everything with a few steps and leaves nothing behind', async () => {
    const trainer = { fast_dev_run: 2, loggers: ['csv'], best_checkpoint_export_subdir: 'best', best_checkpoint_eval_metric: 'mae' };
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('orbit-fast-dev-run'));
    const seen: number[] = [];
    const params = toyParams(trainer);
    const directory = path.join(run.modelDir, 'never');
    const runner = toyRunner(params, {
      mode: 'train_and_eval',
      modelDir: directory,
      saveSummary: true,
      evalActions: [(_o: Output, { globalStep }: ActionContext) => void seen.push(globalStep.value)],
    });
    await runner.run();
    expect([seen, runner.result!.global_step, params.trainer.train_steps]).toEqual([[2], 2, 12]);
    expect(existsSync(directory)).toBe(false);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('orbit-fast-dev-run'))).toEqual(before);
    expect(() => toyRunner(params, { mode: 'continuous_eval' })).toThrow(ConfigError);
  });

  it('overfit_batches trains on the first batches over and over and evaluates on the same', async () => {
    const runner = toyRunner(toyParams({ overfit_batches: 2 }, unshuffled(4)), { mode: 'train_and_eval' });
    await runner.build();
    const seen: number[] = [];
    const evaluated: number[] = [];
    const first = (inputs: unknown): number => (inputs as [{ data: Float32Array }])[0].data[0]!;
    const { trainer } = runner;
    const [next, nextEval] = [trainer.nextTrainInputs.bind(trainer), trainer.nextEvalInputs.bind(trainer)];
    trainer.nextTrainInputs = async (iterator) => {
      const inputs = await next(iterator);
      seen.push(first(inputs));
      return inputs;
    };
    trainer.nextEvalInputs = async (iterator) => {
      const given = await nextEval(iterator);
      evaluated.push(first(given.inputs));
      return given;
    };
    await runner.run();
    const { x } = ToyTask.inputs.train;
    const [a, b] = [Math.fround(x[0]![0]!), Math.fround(x[4]![0]!)];
    expect(seen).toEqual([a, b, a, b, a, b, a, b, a, b, a, b]);
    expect(evaluated).toEqual([a, b, a, b]);
  });

  it('eval_at_start evaluates before the first step, once', async () => {
    const seen: number[] = [];
    const evalActions = [(_output: Output, { globalStep }: ActionContext) => void seen.push(globalStep.value)];
    await toyRunner(toyParams({ eval_at_start: true, train_steps: 6 }), { mode: 'train_and_eval', evalActions }).run();
    await toyRunner(toyParams({ eval_at_start: true }), { mode: 'train_and_eval', evalActions }).run();
    expect([...new Set(seen)]).toEqual([0, 6, 12]); // the resumed run makes up for the evaluation after its checkpoint
    expect(seen.filter((step) => step === 0)).toHaveLength(1);
  });

  it('sanity_check_batches shows a mistake in the evaluation before the first step, and changes nothing otherwise', async () => {
    class Broken extends ToyTask {
      override inferenceStep(): never {
        throw new Error('a mistake in the evaluation');
      }
    }
    const params = toyParams({ sanity_check_batches: 1 });
    const broken = toyRunner(params, { task: new Broken(params.task as never), mode: 'train_and_eval', ...sub('broken') });
    await expect(broken.run()).rejects.toThrow('a mistake in the evaluation');
    expect(broken.trainer.globalStep.value).toBe(0);
    const seen: number[] = [];
    const counting = [(_output: Output, { globalStep }: ActionContext) => void seen.push(globalStep.value)];
    const checked = toyRunner(toyParams({ sanity_check_batches: 2 }), { mode: 'train_and_eval', evalActions: counting, ...sub('checked') });
    await checked.run();
    const plain = toyRunner(toyParams(), { mode: 'train_and_eval', ...sub('plain') });
    await plain.run();
    expect(seen).toEqual([6, 12]);
    expect(weightsOf(checked.trainer)).toEqual(weightsOf(plain.trainer));
    expect(checked.result!.eval_logs).toEqual(plain.result!.eval_logs);
  });
});

describe('loggers', () => {
  it('of the config and of the caller all get the results; a resumed run goes on in the same files', async () => {
    const entries: LogEntry[] = [];
    const loggers = [{ log: (entry: LogEntry) => void entries.push(entry) }];
    for (const train_steps of [6, 12]) {
      await toyRunner(toyParams({ loggers: ['csv', 'json_lines'], train_steps }), { mode: 'train_and_eval', loggers }).run();
    }
    expect([...new Set(entries.map(({ kind, step }) => `${kind} ${step}`))]).toEqual([
      'train 3',
      'train 6',
      'eval 6',
      'train 9',
      'train 12',
      'eval 12',
    ]);
    const rows = readFileSync(path.join(run.modelDir, 'logs/train.csv'), 'utf8').trim().split('\n');
    expect(rows[0]).toBe('step,wall_time,mae,rmse,training_loss,learning_rate,steps_per_second,samples_per_second');
    expect(rows.slice(1).map((row) => Number(row.split(',')[0]))).toEqual([3, 6, 9, 12]);
    const lines = readFileSync(path.join(run.modelDir, 'logs/validation.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([6, 12]);
  });
});

describe('an error in a run', () => {
  const fail = (): never => {
    throw new Error('the real reason');
  };

  it('is not hidden by errors of the clean-up, which become warnings', async () => {
    const warnings: string[] = [];
    const loggers = [{ log() {}, close: () => Promise.reject(new Error('cannot close')) }];
    const reporter = { warning: (line: string) => warnings.push(line) };
    const runner = toyRunner(toyParams(), { trainActions: [fail], loggers, reporter });
    await expect(runner.run()).rejects.toThrow('the real reason');
    expect(warnings.join()).toMatch(/could not be closed properly: cannot close/);
  });

  it('of the clean-up alone is told', async () => {
    const loggers = [{ log() {}, close: () => Promise.reject(new Error('cannot close')) }];
    await expect(toyRunner(toyParams(), { loggers }).run()).rejects.toThrow('cannot close');
  });

  it('that keeps a stopped run from being saved is told in place of the stop, with the stop as its cause', async () => {
    const abort = new AbortController();
    const runner = toyRunner(toyParams(), { signal: abort.signal });
    await runner.build();
    runner.checkpointManager!.save = () => Promise.reject(new CheckpointError('no space is left'));
    const next = runner.trainer.nextTrainInputs.bind(runner.trainer);
    runner.trainer.nextTrainInputs = (iterator) => {
      if (runner.trainer.globalStep.value === 1) abort.abort('SIGTERM');
      return next(iterator);
    };
    const error = await runner.run().catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ message: 'no space is left', cause: { name: 'TrainingStopped' } });
  });

  it('in a hook of an action ends the run like one in run', async () => {
    await expect(toyRunner(toyParams(), { trainActions: [{ loopBegin: fail }] }).run()).rejects.toThrow('the real reason');
  });
});
