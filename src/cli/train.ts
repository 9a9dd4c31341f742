/** `orbit train`: runs an experiment and tells a person how it goes. */
import { existsSync } from 'node:fs';
import { UsageError } from '../errors.js';
import type { ExperimentConfig, OrbitExperimentRunner } from '../experiment/index.js';
import { describeError } from './report-error.js';
import { loadExperiment } from './experiment-flags.js';
import type { ExperimentFlags } from './experiment-flags.js';
import { count, duration, logs, rate } from './format.js';
import { Progress } from './progress.js';
import { statusOf, stopOnSignal } from './stop-on-signal.js';

/** Flags of `orbit train`. */
export interface TrainFlags extends ExperimentFlags {
  /** What to do. */
  mode?: string;
  /** Directory of the run. */
  model_dir?: string;
  /** Write checkpoints in the background. */
  enable_async_checkpointing: boolean;
  /** Step at which the pre-training ends that continuous_train_and_eval follows. */
  pretrain_steps?: number;
  /** Print the result as one line of JSON at the end; all else goes to standard error. */
  json?: boolean;
}

/** Runs the experiment; resolves to the exit status. Errors of use and config are thrown. */
export async function train(flags: TrainFlags): Promise<number> {
  if (!flags.experiment) throw new UsageError('The flag --experiment=NAME is missing. `orbit experiments` lists the names.');
  const modes: typeof import('../experiment/runner-options.js') = await import('../experiment/runner-options.js');
  if (!flags.mode) throw new UsageError(`The flag --mode=MODE is missing. Modes: ${modes.runModes.join(', ')}.`);
  if (flags.mode === 'continuous_train_and_eval') return (await import('./finetune.js')).finetune(flags);
  if (flags.pretrain_steps !== undefined) throw new UsageError('--pretrain_steps belongs to --mode=continuous_train_and_eval alone.');
  modes.requireMode(flags.mode);
  if (!flags.model_dir) throw new UsageError('The flag --model_dir=DIR is missing: checkpoints, summaries and results go there.');

  const params = await loadExperiment(flags, true);
  const { makeRunner, samplesPerStep, TrainingStopped } = await import('../experiment/index.js');
  const output = flags.json ? process.stderr : process.stdout;
  const trains = flags.mode.includes('train');
  const notice = (signal: string): void => {
    progress.line(trains ? `${signal}: stopping at the next step.` : `${signal}: stopped.`);
    if (!trains) process.exit(statusOf(signal)); // nothing to save, and it may be waiting for a checkpoint
  };
  const stop = stopOnSignal({ notice, graceSeconds: params.trainer.preemption_grace_seconds });
  const progress = new Progress({
    output,
    headline: headline(flags, params, samplesPerStep(params)),
    trainSteps: lastStep(params),
    batchSize: samplesPerStep(params),
    currentStep: () => runner.trainer.globalStep.value,
  });
  const runner: OrbitExperimentRunner = makeRunner({
    mode: flags.mode,
    params,
    modelDir: flags.model_dir,
    enableAsyncCheckpointing: flags.enable_async_checkpointing,
    experiment: flags.experiment,
    reporter: progress,
    signal: stop.signal,
    log: (line) => progress.line(line),
  });
  const { setNoticeHandler } = await import('../notice.js');
  setNoticeHandler((line) => progress.line(line)); // not into the line that is rewritten
  let isBuilt = false;
  try {
    await runner.build();
    isBuilt = true;
    const { modelSummary } = await import('../experiment/model-info.js');
    const summary = modelSummary(runner.trainer.model);
    if (summary !== '') progress.line(`${summary}\n`);
    await runner.run();
    progress.close();
    progress.line(closing(runner));
    if (flags.json) {
      const { toJson } = await import('../experiment/run-files.js');
      process.stdout.write(`${toJson(runner.result)}\n`);
    }
    return 0;
  } catch (error) {
    progress.close();
    if (error instanceof TrainingStopped) {
      const saved = isBuilt ? (runner.checkpointManager?.latestCheckpoint ?? null) : null;
      progress.line(`${error.message} ${saved === null ? 'Nothing was saved.' : `Saved ${saved}; the same command goes on from there.`}`);
      return statusOf(String(error.reason));
    }
    if (!isBuilt) throw error;
    const { text, status } = describeError(error, { verbose: flags.verbose, running: true });
    process.stderr.write(`orbit: ${text}\n`);
    return status;
  } finally {
    setNoticeHandler();
    progress.close();
    stop.close();
  }
}

/** The step at which training ends, also of a trial run. */
const lastStep = ({ trainer }: ExperimentConfig): number => trainer.fast_dev_run || trainer.train_steps;

function headline(flags: TrainFlags, params: ExperimentConfig, samples: number): string {
  const { trainer, runtime } = params;
  const { optimizer, learning_rate } = trainer.optimizer_config;
  const update = [optimizer.type, learning_rate.type && `${learning_rate.type} learning rate`].filter(Boolean); // both may be the task's own
  const steps = `${count(lastStep(params))} steps${samples > 0 ? ` of ${count(samples)} examples` : ''}`;
  const training = [steps, ...update].join(', ');
  const what = flags.mode?.includes('train') ? training : 'evaluation';
  return `${flags.experiment}  ${flags.mode}  ${what}, seed ${runtime.seed}`;
}

/** Where everything lies and how it went. */
function closing(runner: OrbitExperimentRunner): string {
  const { result, modelDir, params, checkpointManager } = runner;
  const lines = [''];
  if (result !== null) {
    const { eval_logs, steps_per_second, samples_per_second, wall_seconds, seconds_to_first_step } = result;
    if (eval_logs !== null) {
      const { steps_per_second: _speed, ...results } = eval_logs;
      lines.push(`Last evaluation: ${logs(results)}`);
    }
    const speed =
      steps_per_second === null
        ? ''
        : `, ${rate(steps_per_second)} steps/s${samples_per_second === null ? '' : `, ${rate(samples_per_second)} samples/s`}`;
    const first = seconds_to_first_step === null ? '' : `; first step after ${duration(seconds_to_first_step)}`;
    lines.push(`Done at step ${count(result.global_step)} in ${duration(wall_seconds)}${speed}${first}.`, '');
  }
  const {
    best_checkpoint_export_subdir: best,
    best_checkpoint_eval_metric: metric,
    validation_summary_subdir: validation,
  } = params.trainer;
  const rows: [string, string][] = [];
  if (checkpointManager?.latestCheckpoint)
    rows.push([checkpointManager.latestCheckpoint, 'newest checkpoint: model.safetensors and the rest of the state']);
  if (best && metric) rows.push([`${modelDir}/${best}`, `checkpoint with the best ${metric}`]);
  rows.push([`${modelDir}/train`, `summaries of training: tensorboard --logdir ${/\s/.test(modelDir) ? `"${modelDir}"` : modelDir}`]);
  rows.push([`${modelDir}/${validation}`, 'summaries of evaluation']);
  rows.push([`${modelDir}/params.yaml`, 'all parameters'], [`${modelDir}/result.${runner.mode}.json`, 'the numbers of this run']);
  const present = rows.filter(([file]) => existsSync(file));
  const width = Math.max(...present.map(([file]) => file.length));
  lines.push(...present.map(([file, what]) => `${file.padEnd(width)}  ${what}`));
  return lines.join('\n');
}
