/** A controller of its own class: here one that stops training once the loss is good enough. */
import { Controller, runExperiment } from 'orbit-ts';
import type { ControllerOptions, Output } from 'orbit-ts';
import { lineRun } from './line-task.js';

class PatientController extends Controller {
  #loss = Infinity;

  constructor(options: ControllerOptions) {
    const remember = (output: Output): void => void (this.#loss = Number(output['training_loss']));
    super({ ...options, trainActions: [...(options.trainActions ?? []), remember] });
  }

  /** One inner loop and what follows it; loops after the goal are skipped by moving the step to the target. */
  protected override async trainNSteps(numSteps: number): Promise<void> {
    if (this.#loss < 0.01) this.globalStep.assignAdd(numSteps);
    else await super.trainNSteps(numSteps);
  }
}

/** Trains; resolves to the steps at which a training loop ended. */
export async function main(modelDir: string): Promise<number[]> {
  const steps: number[] = [];
  const run = lineRun(modelDir);
  run.params.trainer.train_steps = 400;
  run.params.trainer.validation_interval = 400;
  const reporter = { trainLoopEnd: ({ step }: { step: number }) => void steps.push(step) };
  await runExperiment({ ...run, controllerClass: PatientController, reporter });
  return steps;
}
