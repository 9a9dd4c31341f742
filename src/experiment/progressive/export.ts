/** Checkpoints of a stage's model that know nothing of stages. */
import path from 'node:path';
import { Checkpoint, CheckpointManager } from '../../checkpoint/index.js';
import type { StateDict } from '../../checkpoint/index.js';
import type { SavableGlobalStep } from '../../orbit/index.js';
import type { Optimizer } from '../../optimization/index.js';
import type { Model } from '../model.js';
import type { ProgressiveTrainerConfig } from './config.js';

/** What is exported. */
export interface Exported {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly globalStep: SavableGlobalStep;
}

/**
 * Saves model, optimizer and step as `<modelDir>/exported_ckpts/ckpt-<step>`: at the first call in a stage, then when the interval has
 * passed since the last one, and at the last step of the training.
 */
export class StageExport {
  readonly #config: ProgressiveTrainerConfig;
  readonly #directory: string;
  /** Step of the last export in this stage; null before the first. */
  #last: number | null = null;

  constructor(config: ProgressiveTrainerConfig, modelDir: string) {
    this.#config = config;
    this.#directory = path.join(modelDir, 'exported_ckpts');
  }

  /** Exports if it is time to. */
  async maybeExport({ model, optimizer, globalStep }: Exported, isLastStage: boolean): Promise<void> {
    const { export_checkpoint, export_checkpoint_interval, export_max_to_keep, export_only_final_stage_ckpt } = this.#config;
    const { checkpoint_interval, max_to_keep, train_steps } = this.#config;
    if (!export_checkpoint || (export_only_final_stage_ckpt && !isLastStage)) return;
    const step = globalStep.value;
    const interval = export_checkpoint_interval ?? checkpoint_interval;
    if (this.#last !== null && step < this.#last + interval && step !== train_steps) return;
    const checkpoint = new Checkpoint({ model, optimizer, global_step: globalStep, ...model.checkpointItems });
    const manager = new CheckpointManager({ checkpoint, directory: this.#directory, maxToKeep: export_max_to_keep ?? max_to_keep });
    await manager.save({ checkpointNumber: step });
    this.#last = step;
  }

  /** A new stage begins. */
  reset(): void {
    this.#last = null;
  }

  /** When the last export was, for checkpoints. */
  stateDict(): StateDict {
    return { last: this.#last };
  }

  /** Takes over a saved state. */
  loadStateDict(state: StateDict): void {
    this.#last = (state['last'] ?? null) as number | null;
  }
}
