/** Checkpoints of averaged weights. */
import path from 'node:path';
import { CheckpointManager } from '../checkpoint/index.js';
import type { Checkpoint } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import type { ActionObject } from '../orbit/index.js';
import type { Optimizer } from '../optimization/index.js';
import { asAveraging } from './averaging.js';
import type { AveragingOptimizer } from './averaging.js';

/** Options of {@link EMACheckpointing}. */
export interface EMACheckpointingOptions {
  /** Directory above `ema_checkpoints`. */
  exportDir: string;
  /** The averaging optimizer. */
  optimizer: Optimizer;
  /** What is saved, with the averages in place of the weights. */
  checkpoint: Checkpoint;
  /** Checkpoints kept. Default 1. */
  maxToKeep?: number;
}

/** After each evaluation saves the averaged weights as `<exportDir>/ema_checkpoints/average_weights-<updates>`. */
export class EMACheckpointing implements ActionObject {
  readonly #optimizer: AveragingOptimizer;
  readonly #manager: CheckpointManager;

  /** @throws UsageError when the optimizer keeps no averages */
  constructor(options: EMACheckpointingOptions) {
    const averaging = asAveraging(options.optimizer);
    if (averaging === null)
      throw new UsageError('EMACheckpointing needs an optimizer that averages weights: set trainer.optimizer_config.ema.');
    this.#optimizer = averaging;
    this.#manager = new CheckpointManager({
      checkpoint: options.checkpoint,
      directory: path.join(options.exportDir, 'ema_checkpoints'),
      maxToKeep: options.maxToKeep ?? 1,
      checkpointName: 'average_weights',
    });
  }

  /** Saves the averages; the weights are as before afterwards, also after an error. */
  async run(): Promise<void> {
    this.#optimizer.swapWeights();
    try {
      await this.#manager.save({ checkpointNumber: this.#optimizer.iterations.dataSync()[0]! });
    } finally {
      this.#optimizer.swapWeights();
    }
  }
}
