/** Relations between the parameters of a run that are wrong together, found before anything is built or written. */
import { checkSupported, configNotices, validateConfig } from '../config/index.js';
import { ConfigError } from '../errors.js';
import type { ExperimentConfig, TrainerConfig } from './config.js';
import type { RunnerOptions } from './runner-options.js';

/** What a run is about to do. */
interface Plan {
  readonly mode: string;
  /** Whether summaries are written. */
  readonly saveSummary: boolean;
  /** Whether a final evaluation follows. */
  readonly runPostEval: boolean;
}

/** Refuses parameters of a run that are wrong or cannot be honoured. Returns notices of those that do not do what they seem to. */
export function checkRun(params: ExperimentConfig, { mode, saveSummary, runPostEval }: RunnerOptions): string[] {
  checkSupported(validateConfig(params));
  checkParams(params, { mode, saveSummary: saveSummary ?? true, runPostEval: runPostEval ?? false });
  return [...configNotices(params), ...paramNotices(params, mode)];
}

/** Refuses what cannot be meant. @throws ConfigError that names the fields which do not go together */
export function checkParams({ task, trainer }: ExperimentConfig, { mode, saveSummary, runPostEval }: Plan): void {
  if ((task as { pruning?: unknown }).pruning)
    throw new ConfigError('task.pruning is not supported: weights cannot be pruned in training. Set it to null.', { path: 'task.pruning' });
  if (mode.includes('train')) checkTraining(trainer, saveSummary);
  if (mode.includes('eval') || runPostEval) checkEvaluation(trainer, mode);
}

function checkTraining(trainer: TrainerConfig, saveSummary: boolean): void {
  const { steps_per_loop: loop, summary_interval: summaries, train_steps: steps, max_to_keep: keep } = trainer;
  if (saveSummary && (summaries < 1 || summaries % loop !== 0)) {
    throw wrong(
      'summary_interval',
      `expected a multiple of trainer.steps_per_loop (${loop}), got ${summaries}. Summaries are written between training loops: set both, such as to ${loop}.`,
    );
  }
  if (!trainer.train_tf_function && trainer.train_tf_while_loop)
    throw wrong(
      'train_tf_function',
      'false needs trainer.train_tf_while_loop: false as well. Leave it out: steps are compiled either way, unless runtime.run_eagerly is true.',
    );
  if (trainer.allow_tpu_summary && !trainer.train_tf_while_loop)
    throw wrong('allow_tpu_summary', 'true needs trainer.train_tf_while_loop: true.');
  if (steps < 0) throw wrong('train_steps', `expected the step at which training ends, at least 0, got ${steps}.`);
  if (keep < 1) throw wrong('max_to_keep', `expected at least 1, got ${keep}: the newest checkpoint is always kept.`);
  if (trainer.checkpoint_interval < 0)
    throw wrong('checkpoint_interval', `expected a number of steps, or 0 for none, got ${trainer.checkpoint_interval}.`);
}

function checkEvaluation(trainer: TrainerConfig, mode: string): void {
  const { validation_steps: steps, validation_interval: interval } = trainer;
  if (steps === 0 || steps < -1)
    throw wrong('validation_steps', `expected a number of batches of at least 1, or -1 for all the validation data, got ${steps}.`);
  if (!trainer.eval_tf_function && trainer.eval_tf_while_loop)
    throw wrong(
      'eval_tf_function',
      'false needs trainer.eval_tf_while_loop: false as well. Leave it out: steps are compiled either way, unless runtime.run_eagerly is true.',
    );
  if (steps === -1 && trainer.eval_tf_while_loop)
    throw wrong(
      'validation_steps',
      'with trainer.eval_tf_while_loop: true it must be a number of batches, not -1. Leave eval_tf_while_loop out.',
    );
  if (mode === 'train_and_eval' && interval < 0)
    throw wrong('validation_interval', `expected the steps between two evaluations, or 0 for one at the end, got ${interval}.`);
}

/** One line for each parameter that is set and cannot have the effect that was meant. */
export function paramNotices({ trainer }: ExperimentConfig, mode: string): string[] {
  const notices: string[] = [];
  const { best_checkpoint_export_subdir: subdir, best_checkpoint_eval_metric: metric } = trainer;
  const evaluates = mode.includes('eval') && mode !== 'eval';
  notices.push(...evaluationNotices(trainer, mode));
  if (evaluates && (subdir === '') !== (metric === '')) {
    const [set, missing] = subdir === '' ? ['eval_metric', 'export_subdir'] : ['export_subdir', 'eval_metric'];
    notices.push(`no best checkpoint is kept: trainer.best_checkpoint_${set} is set, but trainer.best_checkpoint_${missing} is empty.`);
  }
  if (mode.includes('train') && trainer.checkpoint_interval === 0) notices.push('nothing is saved: trainer.checkpoint_interval is 0.');
  if (mode.includes('train') && trainer.train_steps === 0) notices.push('there is nothing to train: trainer.train_steps is 0.');
  return notices;
}

/** What waits for evaluations during training, of which a mode or an interval leaves none. */
function evaluationNotices(trainer: TrainerConfig, mode: string): string[] {
  const { validation_interval: interval } = trainer;
  const watching = (['early_stopping', 'reduce_on_plateau'] as const).filter((field) => trainer[field] !== null);
  const why =
    mode !== 'train_and_eval'
      ? `mode ${mode} does not evaluate while it trains; train_and_eval does`
      : interval === 0
        ? 'trainer.validation_interval is 0: the only evaluation is at the end'
        : null;
  return why === null ? [] : watching.map((field) => `trainer.${field} has no effect: ${why}.`);
}

function wrong(field: string, text: string): ConfigError {
  return new ConfigError(`trainer.${field}: ${text}`, { path: `trainer.${field}` });
}
