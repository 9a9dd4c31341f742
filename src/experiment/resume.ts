/** What a resumed run needs besides its checkpoint. */
import { isStateful } from '../checkpoint/index.js';
import { randomState } from '../function/index.js';
import type { Action } from '../orbit/index.js';
import { readRecoveryRecord } from './recovery-record.js';
import { readResult } from './run-result.js';
import type { Trainer } from './trainer.js';

/** Actions with a state of their own are saved and restored with the run, under the names of their classes. */
export function joinCheckpoint({ actionStates }: Trainer, actions: readonly Action[]): void {
  const counts = new Map<string, number>();
  for (const action of new Set(actions)) {
    if (!isStateful(action)) continue;
    const kind = action.constructor.name;
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    actionStates[count === 0 ? kind : `${kind}_${count}`] = action;
  }
}

/** Takes over what happened after the checkpoint that was restored. */
export async function completeResume(trainer: Trainer, modelDir: string): Promise<void> {
  await recallBlowUps(trainer, modelDir);
  await forgetFinishedEvaluation(trainer, modelDir);
}

/** A roll-back that the process did not outlive: the count, the other random numbers and the batches hold all the same. */
async function recallBlowUps(trainer: Trainer, modelDir: string): Promise<void> {
  const record = await readRecoveryRecord(modelDir);
  if (record === null || record.trials <= trainer.recovery.trials) return;
  trainer.recovery.trials = record.trials;
  drawAnew(record.trials);
  if (record.position !== null && trainer.config.trainer.resume_data === 'continue') trainer.dataPosition.loadStateDict(record.position);
}

/** The last checkpoint of a finished run is older than its last evaluation, which need not be made up for. */
async function forgetFinishedEvaluation({ loopClock, globalStep, config }: Trainer, modelDir: string): Promise<void> {
  if (loopClock.evaluationAt !== globalStep.value || globalStep.value < config.trainer.train_steps) return;
  const last = await readResult(modelDir);
  if (last?.global_step === globalStep.value && last.eval_logs !== null) loopClock.evaluationAt = null;
}

/** Other random numbers than those of the attempts before. */
export function drawAnew(trials: number): void {
  const { seed, counter } = randomState.stateDict();
  randomState.loadStateDict({ seed: (seed ^ Math.imul(trials, 0x9e3779b9)) | 0, counter });
}
