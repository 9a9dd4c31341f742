/** The actions that a runner adds to those of the user. */
import type { CheckpointManagerLike, Action } from '../orbit/index.js';
import type { CheckpointManager } from '../checkpoint/index.js';
import { asAveraging } from './averaging.js';
import { metricOf } from './best-checkpoint.js';
import type { ExperimentConfig } from './config.js';
import { EMACheckpointing } from './ema-checkpointing.js';
import { EarlyStopping } from './early-stopping.js';
import { LossGuard, type LossGuardOptions } from './loss-guard.js';
import { ReduceOnPlateau } from './reduce-on-plateau.js';
import { StochasticWeightAveraging } from './stochastic-weight-averaging.js';
import type { Trainer } from './trainer.js';

/** After each training loop: recovery from a blown-up loss, unless `recovery_max_trials` is negative; then averaging of the weights. */
export function defaultTrainActions(
  params: ExperimentConfig,
  trainer: Trainer,
  manager: CheckpointManagerLike | null,
  { rebuild, warn }: Pick<LossGuardOptions, 'rebuild' | 'warn'>,
): Action[] {
  const { recovery_max_trials, stochastic_weight_averaging: averaging } = params.trainer;
  const actions: Action[] = [];
  if (recovery_max_trials >= 0 && manager !== null) actions.push(new LossGuard({ trainer, manager, rebuild, warn }));
  if (averaging !== null) {
    const { start_step: startStep, every_n_steps: everyNSteps, trainable_weights_only: trainableWeightsOnly } = averaging;
    actions.push(new StochasticWeightAveraging({ trainer, startStep, everyNSteps, trainableWeightsOnly }));
  }
  return actions;
}

/**
 * After each evaluation: checkpoints of averaged weights, if the optimizer averages; the value of the metric by which the best
 * checkpoints are kept; lowering of the learning rate, then early stopping.
 * @param manager the manager that keeps them; null in modes that do not train
 */
export function defaultEvalActions(
  params: ExperimentConfig,
  trainer: Trainer,
  modelDir: string,
  manager: CheckpointManager | null = null,
  log: (line: string) => void = () => {},
): Action[] {
  const { max_to_keep: maxToKeep, keep_best_checkpoints: keepsBest, best_checkpoint_eval_metric: metric } = params.trainer;
  const { optimizer, checkpoint } = trainer;
  const actions: Action[] = [];
  if (asAveraging(optimizer) !== null) actions.push(new EMACheckpointing({ exportDir: modelDir, optimizer, checkpoint, maxToKeep }));
  if (keepsBest > 0 && manager !== null)
    actions.push((output) => manager.noteMetrics(trainer.globalStep.value, { [metric]: metricOf(output, metric) }));
  if (manager !== null) actions.push(...plateauActions(params, trainer, log));
  return actions;
}

/** What watches whether the evaluations get better. */
function plateauActions(
  { trainer: { reduce_on_plateau: reduce, early_stopping: stop } }: ExperimentConfig,
  trainer: Trainer,
  log: (line: string) => void,
): Action[] {
  const watched = ({ metric, metric_comp, patience, min_delta, begin_steps }: NonNullable<typeof stop>) => ({
    ...{ metric, metricComp: metric_comp, patience, minDelta: min_delta, beginSteps: begin_steps },
  });
  const actions: Action[] = [];
  if (reduce !== null) {
    const { factor, cooldown, min_learning_rate: minLearningRate } = reduce;
    actions.push(new ReduceOnPlateau({ optimizer: trainer.optimizer, ...watched(reduce), factor, cooldown, minLearningRate, log }));
  }
  if (stop !== null) actions.push(new EarlyStopping(watched(stop)));
  return actions;
}
