/** Training in stages that change model, optimizer and data. */
import type { StateDict } from '../../checkpoint/index.js';
import { ConfigError, UsageError } from '../../errors.js';
import { notice } from '../../notice.js';
import type { DatasetLike, MaybePromise, Output } from '../../orbit/index.js';
import { variablePaths } from '../../tf/object-paths.js';
import { asAveraging } from '../averaging.js';
import type { ExperimentConfig } from '../config.js';
import { trainableVariables } from '../model.js';
import { Trainer } from '../trainer.js';
import type { TrainerOptions } from '../trainer-options.js';
import type { ProgressiveTrainerConfig } from './config.js';
import { StageExport } from './export.js';
import { requireProgressive, Stages } from './policy.js';

/** Parts of a {@link ProgressiveTrainer}. Model, optimizer and data are those of the task's stages. */
export interface ProgressiveTrainerOptions extends Pick<TrainerOptions, 'task' | 'train' | 'evaluate' | 'checkpointExporter'> {
  /** The experiment's config; `trainer` was made with `progressiveTrainerConfig`. */
  config: ExperimentConfig & { trainer: ProgressiveTrainerConfig };
  /** Directory of the run: exports go to `exported_ckpts` in it. */
  modelDir: string;
  /** Where warnings go. Default: standard error. */
  warn?: (message: string) => void;
}

/**
 * Trains a task in the stages of its policy. At the end of a training loop whose last step belongs to another stage, the trainer goes
 * over to that stage: with the new optimizer, model and data. A restored checkpoint puts it into the stage that it was saved in.
 */
export class ProgressiveTrainer extends Trainer {
  /** The stage that the training is in. */
  readonly stages: Stages;
  readonly #export: StageExport;
  readonly #trains: boolean;

  /** @throws UsageError for a task without stages; ConfigError for options that do not go with stages */
  constructor({ config, task, modelDir, warn, train = true, evaluate = true, checkpointExporter }: ProgressiveTrainerOptions) {
    requireProgressive(task);
    refuseOptions(config);
    const stages = new Stages(task, warn);
    prepare(stages, train);
    super({
      ...{ config, task, train, evaluate, checkpointExporter, model: stages.model, optimizer: stages.optimizer },
      trainDataset: () => opened(stages.trainDataset),
      validationDataset: () => opened(stages.evalDataset),
    });
    this.stages = stages;
    this.#trains = train;
    this.#export = new StageExport(config.trainer, modelDir);
    this.checkpoint.add('stage', { stateDict: () => ({ stage_id: stages.stage }), loadStateDict: () => {} }); // read by beforeLoad
    this.checkpoint.add('stage_export', this.#export, { optional: true });
    this.checkpoint.beforeLoad = ({ step, items }) => this.#enterSaved(step ?? 0, items['stage'] as StateDict | undefined);
  }

  /** The data of the current stage. They cannot be set: the task's policy gives them. */
  override get trainDataset(): DatasetLike {
    return super.trainDataset;
  }

  override set trainDataset(_dataset: DatasetLike) {
    throw new UsageError('The training data of a ProgressiveTrainer are those of its stages: return them from getTrainDataset(stage).');
  }

  /** Reads the results of the loop, exports, then goes over to the next stage if the step belongs to it. */
  override async trainLoopEnd(): Promise<Output> {
    const logs = await super.trainLoopEnd();
    await this.#export.maybeExport(this, this.stages.isLastStage);
    const step = this.globalStep.value;
    if (this.stages.isStageAdvancing(step)) {
      this.#enter(this.stages.stageOf(step), true);
      notice(`stage ${this.stages.stage} of the training begins after step ${step}`);
    }
    return logs;
  }

  /** The stage that was saved; the one of the step where a checkpoint does not say. */
  #enterSaved(step: number, saved: StateDict | undefined): void {
    const stage = typeof saved?.['stage_id'] === 'number' ? saved['stage_id'] : this.stages.stageOf(step);
    if (stage !== this.stages.stage) this.#enter(stage, false);
  }

  #enter(stage: number, passOldModel: boolean): void {
    const { stages } = this;
    const [data, optimizer] = [stages.trainDataset, stages.optimizer];
    stages.enter(stage, passOldModel);
    prepare(stages, this.#trains);
    this.exchange(stages.model, stages.optimizer);
    if (stages.optimizer !== optimizer) optimizer.dispose();
    if (stages.trainDataset !== data) super.trainDataset = () => opened(stages.trainDataset); // begins at its first batch
    this.#export.reset();
  }
}

async function opened(dataset: MaybePromise<DatasetLike>): Promise<Iterable<unknown> | AsyncIterable<unknown>> {
  const made = await dataset;
  return typeof made === 'function' ? made() : made;
}

/** Names, averages and slots of a stage's variables, before its first step. */
function prepare({ model, optimizer }: Stages, train: boolean): void {
  const paths = variablePaths(model);
  optimizer.setVariablePaths(paths);
  const averaging = asAveraging(optimizer);
  if (averaging !== null && !averaging.hasShadowCopy) averaging.shadowCopy([...paths.keys()] as never);
  if (train) optimizer.build(trainableVariables(model));
}

function refuseOptions({ trainer }: ExperimentConfig): void {
  const set = [
    trainer.stochastic_weight_averaging !== null && 'stochastic_weight_averaging',
    trainer.reduce_on_plateau !== null && 'reduce_on_plateau',
    trainer.overfit_batches > 0 && 'overfit_batches',
  ].find(Boolean);
  if (!set) return;
  const why =
    set === 'overfit_batches'
      ? 'the data are those of each stage'
      : set === 'reduce_on_plateau'
        ? 'each stage has a learning rate of its own'
        : 'each stage has a model of its own';
  throw new ConfigError(`trainer.${set}: it does not go with training in stages, where ${why}.`, { path: `trainer.${set}` });
}
