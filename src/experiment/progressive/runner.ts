/** Runs of training in stages. */
import type { Action } from '../../orbit/index.js';
import { asAveraging } from '../averaging.js';
import { EMACheckpointing } from '../ema-checkpointing.js';
import { ConfigError } from '../../errors.js';
import { OrbitExperimentRunner } from '../runner.js';
import type { RunnerOptions, RunOutcome } from '../runner-options.js';
import type { Task } from '../task.js';
import { isProgressive } from './config.js';
import { ProgressiveTrainer } from './trainer.js';

/** Runs an experiment whose task is trained in stages; options and modes are those of `OrbitExperimentRunner`. */
export class ProgressiveRunner extends OrbitExperimentRunner {
  protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<ProgressiveTrainer> {
    const { params: config, modelDir } = this;
    if (!isProgressive(config))
      throw new ConfigError('trainer: training in stages needs a config made with progressiveTrainerConfig({ ... }).', { path: 'trainer' });
    const checkpointExporter = await this.buildBestCheckpointExporter();
    return new ProgressiveTrainer({ config, task, modelDir, train, evaluate, checkpointExporter });
  }

  /** Averaged weights are those of the stage's own optimizer, if it keeps some. */
  protected override defaultEvalActions(): readonly Action[] {
    const saveAverages = async (): Promise<void> => {
      const { optimizer, checkpoint } = this.trainer;
      const { max_to_keep: maxToKeep } = this.params.trainer;
      if (asAveraging(optimizer) === null) return;
      await new EMACheckpointing({ exportDir: this.modelDir, optimizer, checkpoint, maxToKeep }).run();
    };
    return [saveAverages, ...super.defaultEvalActions().filter((action) => !(action instanceof EMACheckpointing))];
  }
}

/** Runs an experiment whose task is trained in stages; see {@link ProgressiveRunner}. */
export function runProgressiveExperiment(options: RunnerOptions): Promise<RunOutcome> {
  return new ProgressiveRunner(options).run();
}
