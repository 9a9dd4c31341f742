/** Summaries that go elsewhere than to TensorBoard: here into an array. */
import { runExperiment, silentSummaryWriter } from 'orbit-ts';
import type { GlobalStep, Output, SummaryManagerInterface, SummaryWriter } from 'orbit-ts';
import { createTrainer } from 'orbit-ts';
import { lineRun } from './line-task.js';

class RowsManager implements SummaryManagerInterface {
  readonly rows: { step: number; name: string; value: number }[] = [];
  readonly #step: GlobalStep;

  constructor(step: GlobalStep) {
    this.#step = step;
  }

  /** Gets the results of a training loop or an evaluation, as plain numbers, nested as they were returned. */
  writeSummaries(summaries: Output): void {
    for (const [name, value] of Object.entries(summaries)) {
      if (typeof value === 'number') this.rows.push({ step: this.#step.value, name, value });
    }
  }

  /** The writer for what a step itself records (`summary.scalar`); this one drops it. */
  summaryWriter(): SummaryWriter {
    return silentSummaryWriter;
  }

  flush(): void {}
}

/** Trains; resolves to what was written, without speeds. */
export async function main(modelDir: string): Promise<string[]> {
  const { params, task, ...options } = lineRun(modelDir);
  const trainer = createTrainer(params, task);
  const summaryManager = new RowsManager(trainer.globalStep);
  const evalSummaryManager = new RowsManager(trainer.globalStep);
  await runExperiment({ ...options, params, task, trainer, summaryManager, evalSummaryManager });
  const rows = [...summaryManager.rows, ...evalSummaryManager.rows].filter(({ name }) => !name.endsWith('_per_second'));
  return rows.map(({ step, name }) => `${step} ${name}`);
}
