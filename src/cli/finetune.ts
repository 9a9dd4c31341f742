/** `orbit train --mode=continuous_train_and_eval`: fine-tuning anew from every checkpoint of a pre-training. */
import { UsageError } from '../errors.js';
import { loadExperiment } from './experiment-flags.js';
import type { TrainFlags } from './train.js';

/** Runs the series of fine-tunings; resolves to the exit status. */
export async function finetune(flags: TrainFlags): Promise<number> {
  if (!flags.model_dir) throw new UsageError('The flag --model_dir=DIR is missing: checkpoints, summaries and results go there.');
  const params = await loadExperiment(flags, true);
  const { runContinuousFinetune } = await import('../experiment/index.js');
  const { LineReporter } = await import('../orbit/index.js');
  const output = flags.json ? process.stderr : process.stdout;
  const print = (line: string): void => void output.write(`${line}\n`);
  const results = await runContinuousFinetune({
    ...{
      mode: 'continuous_train_and_eval',
      params,
      modelDir: flags.model_dir,
      runPostEval: true,
      pretrainSteps: flags.pretrain_steps ?? null,
    },
    run: { enableAsyncCheckpointing: flags.enable_async_checkpointing, reporter: new LineReporter({ print }), log: print },
  });
  if (flags.json) {
    const { toJson } = await import('../experiment/run-files.js');
    process.stdout.write(`${toJson(results)}\n`);
  }
  return 0;
}
