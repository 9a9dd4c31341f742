/** Actions: functions or objects that are called after every training loop or evaluation. */
import { ConditionalAction, NewBestMetric, runExperiment } from 'orbit-ts';
import type { Output } from 'orbit-ts';
import { appendFile } from 'node:fs/promises';
import { lineRun } from './line-task.js';

/** An action as an object: appends one line of JSON to a file. It may be asynchronous; training waits for it. */
class AppendToFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async run(output: Output): Promise<void> {
    await appendFile(this.#file, `${JSON.stringify(output)}\n`);
  }
}

/** Trains; resolves to the validation losses that were better than all before. */
export async function main(modelDir: string): Promise<number[]> {
  const best: number[] = [];
  const isBest = new NewBestMetric('validation_loss', { higherIsBetter: false, filename: `${modelDir}/best.json` });
  await runExperiment({
    ...lineRun(modelDir),
    trainActions: [
      // A function: it may also add to the output, which then reaches summaries and the log.
      (output) => void (output['loss_in_percent'] = 100 * Number(output['training_loss'])),
      new AppendToFile(`${modelDir}/loops.jsonl`),
    ],
    evalActions: [new ConditionalAction(isBest, (output) => void best.push(output['validation_loss'] as number))],
  });
  return best;
}
