/** A runner that overrides every hook. Each may call `super` and change what it made, or make something else. */
import { BestCheckpointExporter, CheckpointManager, createTrainer, OrbitExperimentRunner, trainableVariables } from 'orbit-ts';
import type { Action, Controller, ControllerParts, Task, Trainer } from 'orbit-ts';
import { lineRun } from './line-task.js';

/** What the hooks did, in order. */
export const calls: string[] = [];

class MyRunner extends OrbitExperimentRunner {
  /** Model, optimizer and trainer: here with the first weights set by hand. */
  protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
    const trainer = createTrainer(this.params, task, { train, evaluate, checkpointExporter: this.buildBestCheckpointExporter() });
    for (const variable of trainableVariables(trainer.model)) variable.assign(variable.zerosLike());
    calls.push(`buildTrainer(train: ${train}, evaluate: ${evaluate})`);
    return trainer;
  }

  /** Keeps the checkpoint with the lowest loss, whatever the config says. */
  protected override buildBestCheckpointExporter(): BestCheckpointExporter {
    calls.push('buildBestCheckpointExporter');
    return new BestCheckpointExporter(`${this.modelDir}/lowest_loss`, 'validation_loss', 'lower');
  }

  /** Keeps two checkpoints under a name of its own. `this.trainer` is there. */
  protected override maybeBuildCheckpointManager(): CheckpointManager {
    calls.push('maybeBuildCheckpointManager');
    const { checkpoint, globalStep } = this.trainer;
    return new CheckpointManager({
      checkpoint,
      directory: this.modelDir,
      checkpointName: 'line',
      maxToKeep: 2,
      stepCounter: globalStep,
      checkpointInterval: 10,
      initFn: () => this.trainer.initialize(),
    });
  }

  /** Adds an action to those that the caller gave. `this.checkpointManager` is there too. */
  protected override async buildController(parts: ControllerParts): Promise<Controller> {
    calls.push('buildController');
    const count: Action = () => void calls.push(`step ${this.trainer.globalStep.value}`);
    return super.buildController({ ...parts, trainActions: [...parts.trainActions, count] });
  }
}

/** Trains; resolves to the calls of the hooks. */
export async function main(modelDir: string): Promise<string[]> {
  await new MyRunner(lineRun(modelDir)).run();
  return calls;
}
