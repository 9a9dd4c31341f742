/** The actions that a runner adds to those of the user. */
import type { CheckpointManagerLike, Action, Output } from '../orbit/index.js';
import type { CheckpointManager } from '../checkpoint/index.js';
import { asAveraging } from './averaging.js';
import { metricOf } from './best-checkpoint.js';
import type { ExperimentConfig } from './config.js';
import { EMACheckpointing } from './ema-checkpointing.js';
import { RecoveryAction, RecoveryCondition } from './recovery.js';
import { writeRecoveryRecord } from './recovery-record.js';
import { drawAnew } from './resume.js';
import type { Trainer } from './trainer.js';

/** After each training loop: recovery from a blown-up loss, unless `recovery_max_trials` is negative. */
export function defaultTrainActions(
  params: ExperimentConfig,
  trainer: Trainer,
  manager: CheckpointManagerLike | null,
  warn: (message: string) => void,
): Action[] {
  const { recovery_max_trials, recovery_begin_steps, loss_upper_bound } = params.trainer;
  if (recovery_max_trials < 0 || manager === null) return [];
  const condition = new RecoveryCondition({
    globalStep: trainer.globalStep,
    lossUpperBound: loss_upper_bound,
    recoveryBeginSteps: recovery_begin_steps,
    recoveryMaxTrials: recovery_max_trials,
    counter: trainer.recovery,
    explain: () =>
      trainer.firstBadStep === null ? '' : `The first loss that is not a finite number was that of step ${trainer.firstBadStep + 1}.`,
  });
  const action = new RecoveryAction({ checkpointManager: manager, during: (restore) => rollBack(trainer, restore), warn });
  return [
    async (output: Output) => {
      if (!(await condition.test(output))) return;
      await writeRecoveryRecord(manager.directory, trainer.recovery.trials);
      await action.run();
    },
  ];
}

/**
 * Restores while the data stay where they are (unless `trainer.recovery_data` says `rewind`), so that the repeated steps see
 * other batches, and draws other random numbers than the failed attempt: the same batch with the same numbers would blow up
 * again.
 */
async function rollBack(trainer: Trainer, restore: () => Promise<string | null>): Promise<string | null> {
  trainer.dataPosition.follows = trainer.config.trainer.recovery_data === 'rewind';
  try {
    const path = await restore();
    drawAnew(trainer.recovery.trials);
    return path;
  } finally {
    trainer.dataPosition.follows = true;
  }
}

/**
 * After each evaluation: checkpoints of averaged weights, if the optimizer averages; the value of the metric by which the best
 * checkpoints are kept.
 * @param manager the manager that keeps them; null in modes that do not train
 */
export function defaultEvalActions(
  params: ExperimentConfig,
  trainer: Trainer,
  modelDir: string,
  manager: CheckpointManager | null = null,
): Action[] {
  const { max_to_keep: maxToKeep, keep_best_checkpoints: keepsBest, best_checkpoint_eval_metric: metric } = params.trainer;
  const { optimizer, checkpoint } = trainer;
  const actions: Action[] = [];
  if (asAveraging(optimizer) !== null) actions.push(new EMACheckpointing({ exportDir: modelDir, optimizer, checkpoint, maxToKeep }));
  if (keepsBest > 0 && manager !== null)
    actions.push((output) => manager.noteMetrics(trainer.globalStep.value, { [metric]: metricOf(output, metric) }));
  return actions;
}
