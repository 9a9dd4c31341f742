import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { TrainingError } from '../errors.js';
import { runExperiment } from './index.js';
import type { RunnerOptions } from './index.js';
import { run, toyParams, toyRunner, useToyRuns, weightsOf } from './toy-run.testing.js';
import { ToyTask } from './toy-task.testing.js';

useToyRuns();

/** The checkpoints on disk. */
const checkpoints = (): string[] => readdirSync(run.modelDir).filter((name) => name.startsWith('ckpt-'));

/** A task whose training data have a NaN in one row from a step on; features and targets are finite before. */
class BadRow extends ToyTask {
  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor, auxLosses?: tf.Scalar[]): tf.Tensor {
    return tf.add(super.buildLosses(labels, outputs, auxLosses), tf.mean(tf.log(tf.add(labels, 100))));
  }
}

async function failure(params = toyParams(), more: Partial<RunnerOptions> = {}): Promise<{ message: string; notices: string[] }> {
  const notices: string[] = [];
  const error = await runExperiment({
    ...{ task: new BadRow(params.task as never), mode: 'train', params, modelDir: run.modelDir, log: () => {}, saveSummary: false },
    ...{ reporter: { warning: (line: string) => notices.push(line) }, ...more },
  }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TrainingError);
  return { message: (error as Error).message, notices };
}

/** Makes one row bad: with batches of 4 out of 22 rows it comes up once in an epoch of five or six steps. */
function spoilRow(row: number): void {
  (ToyTask.inputs.train.y as number[][])[row] = [-1000];
}

/** The first step, in the shuffled order of the run, whose batch holds the bad row: seen by an independent run that only looks at its batches. */
async function stepOfBadRow(): Promise<number> {
  let found = 0;
  const runner = toyRunner(toyParams({ recovery_max_trials: -1 }), { modelDir: path.join(run.modelDir, 'probe') });
  await runner.build();
  const next = runner.trainer.nextTrainInputs.bind(runner.trainer);
  runner.trainer.nextTrainInputs = (iterator) => {
    const inputs = next(iterator) as unknown as [unknown, { data: Float32Array }];
    if (found === 0 && inputs[1].data.includes(-1000)) found = runner.trainer.globalStep.value + 1;
    return inputs as never;
  };
  await runner.run();
  return found;
}

describe('a loss that is not a number', () => {
  it.each([3, 7, 11, 19])(
    'ends the run, names the first bad step and tensor, and keeps the checkpoints before it (row %i)',
    async (row) => {
      spoilRow(row);
      const step = await stepOfBadRow();
      const { message, notices } = await failure();
      expect(message).toContain(`The first loss that is not a finite number was that of step ${step}.`);
      expect(message).toMatch(new RegExp(`found by making step ${step} again: the result of Log.* from finite inputs \\(x from -900 to`));
      const newest = 3 * Math.floor((step - 1) / 3);
      expect(checkpoints().map((name) => Number(name.slice(5))).sort((a, b) => a - b)).toEqual([3, 6, 9, 12].filter((s) => s <= newest)); // prettier-ignore
      const origin = newest === 0 ? 'the start of the run' : `${run.modelDir}/ckpt-${newest}`;
      expect(notices).toEqual([`Looking for the first tensor that is not finite: making ${step - newest} steps again from ${origin}.`]);
    },
  );

  it('is found in the same way in a run that steps eagerly, and where batches are accumulated', async () => {
    spoilRow(7);
    const eager = toyParams();
    eager.runtime.run_eagerly = true;
    expect((await failure(eager)).message).toMatch(/the result of Log/);
    const accumulating = toyParams({ grad_accumulation_steps: 3 });
    expect((await failure(accumulating, { modelDir: path.join(run.modelDir, 'other') })).message).toMatch(
      /was that of step \d\. .*by making step \d again: the result of Log/,
    );
  });

  it('is not looked for with replay_non_finite: false', async () => {
    spoilRow(3);
    const { message, notices } = await failure(toyParams({ replay_non_finite: false }));
    expect(message).toMatch(/first loss that is not a finite number was that of step \d+\./);
    expect(message).not.toMatch(/tensor/);
    expect(notices).toEqual([]);
  });

  it('leaves the newest checkpoint where the command goes on once the data are mended', async () => {
    spoilRow(19);
    await failure();
    const before = checkpoints().length;
    ToyTask.inputs.train.y = (ToyTask.inputs.train.y as number[][]).map(([y]) => [y === -1000 ? 1 : y!]);
    const runner = toyRunner(toyParams());
    await runner.run();
    expect(runner.resumedFrom === null).toBe(before === 0);
    expect(weightsOf(runner.trainer).flat().every(Number.isFinite)).toBe(true);
  });
});

describe('variables that are not numbers', () => {
  /** A gradient that is infinite at the first step although the loss is finite. */
  class BadGradient extends ToyTask {
    override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
      const zero = tf.mul(tf.sum(outputs), 0);
      return tf.add(tf.mean(tf.squaredDifference(labels, outputs)), tf.sqrt(zero));
    }
  }

  it('are not saved, though the loss of the loop is finite, and the gradient that made them is named', async () => {
    const params = toyParams({ steps_per_loop: 1, summary_interval: 1, checkpoint_interval: 1 });
    const { message } = await failure(params, { task: new BadGradient(params.task as never) });
    expect(message).toMatch(/training_loss is [\d.]+, but variables of the model are no finite numbers at step 1 /);
    expect(message).toMatch(/found by making step 1 again: the result of \w+/);
    expect(checkpoints()).toEqual([]);
  });

  it('are not saved either when the run is stopped within the loop', async () => {
    const abort = new AbortController();
    const params = toyParams({ steps_per_loop: 6, summary_interval: 6 });
    const warnings: string[] = [];
    const runner = toyRunner(params, {
      task: new BadGradient(params.task as never),
      signal: abort.signal,
      reporter: { warning: (line) => warnings.push(line) },
    });
    await runner.build();
    const next = runner.trainer.nextTrainInputs.bind(runner.trainer);
    runner.trainer.nextTrainInputs = (iterator) => {
      if (runner.trainer.globalStep.value === 1) abort.abort('SIGTERM');
      return next(iterator);
    };
    await expect(runner.run()).rejects.toMatchObject({ name: 'TrainingStopped' });
    expect(checkpoints()).toEqual([]);
    expect(warnings.join()).toMatch(/Nothing more is saved/);
  });

  it('are rolled back like any blow-up where the config allows it', async () => {
    spoilRow(7);
    const params = toyParams({ recovery_max_trials: 1 });
    const { message } = await failure(params);
    expect(message).toMatch(/blow-up number 2 with trainer\.recovery_max_trials 1/);
    expect(JSON.parse(readFileSync(path.join(run.modelDir, '.orbit-recovery.json'), 'utf8'))).toMatchObject({ trials: 1 });
  });
});
