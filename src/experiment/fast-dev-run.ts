/** A run of a few steps that leaves nothing behind, to see that everything works together. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cloneConfig } from '../config/index.js';
import { ConfigError } from '../errors.js';
import type { ExperimentConfig } from './config.js';

/**
 * The config of a trial run of `trainer.fast_dev_run` training and as many evaluation steps: everything is made and called as in
 * the whole run, nothing is saved, stopped early or logged to files.
 */
export function trialConfig(params: ExperimentConfig, mode: string): ExperimentConfig {
  const steps = params.trainer.fast_dev_run;
  if (mode.startsWith('continuous'))
    throw new ConfigError(
      `trainer.fast_dev_run: mode ${mode} waits for checkpoints, of which a trial run makes none. Use mode train_and_eval.`,
      {
        path: 'trainer.fast_dev_run',
      },
    );
  const trial = cloneConfig(params);
  const { trainer } = trial;
  Object.assign(trainer, {
    ...{ train_steps: steps, steps_per_loop: steps, summary_interval: steps, validation_interval: steps },
    validation_steps: trainer.validation_steps === -1 ? steps : Math.min(steps, trainer.validation_steps),
    ...{ checkpoint_interval: 0, checkpoint_interval_seconds: 0, checkpoint_interval_epochs: 0, checkpoint_on_exception: false },
    ...{ best_checkpoint_export_subdir: '', best_checkpoint_eval_metric: '', keep_best_checkpoints: 0 },
    ...{ early_stopping: null, max_wall_seconds: null, loggers: [] },
  });
  return trial;
}

/** Where a trial run keeps what it cannot do without; removed at its end. */
export function trialDirectory(): string {
  return path.join(tmpdir(), `orbit-fast-dev-run-${process.pid}-${randomBytes(4).toString('hex')}`);
}
