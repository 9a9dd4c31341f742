/** Runs that are stopped and resumed, and all that can be compared of them: parameters, logs, event files, order of the samples. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { fromArrays, NDArray, type Dataset } from '../../src/data/index.js';
import {
  createTrainer,
  experimentConfig,
  getTask,
  modelConfig,
  OrbitExperimentRunner,
  registerTask,
  Task,
  taskConfig,
  Trainer,
  TrainingStopped,
  type ExperimentConfig,
  type RunnerOptions,
  type TrainerConfigInput,
} from '../../src/experiment/index.js';
import { field } from '../../src/config/index.js';
import { Mean, type Metric } from '../../src/metrics/index.js';
import type { MaybePromise, Output } from '../../src/orbit/index.js';
import type { DataIterator } from '../../src/orbit/index.js';
import { readEvents } from '../../src/summary/index.js';

/** Rows of a data set: two features and a target. The first feature tells the rows apart. */
export function rows(count: number, offset = 0) {
  const x = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? (i / 2 + offset) / 8 : Math.sin(i + offset)));
  const y = Float32Array.from({ length: count }, (_, i) => 0.3 * x[2 * i]! - x[2 * i + 1]!);
  return { x, y };
}

/** Rows as a data set of [features, target]. */
export function rowData(count: number, offset = 0) {
  const { x, y } = rows(count, offset);
  return fromArrays([new NDArray(x, [count, 2], 'float32'), new NDArray(y, [count, 1], 'float32')]);
}

/** What one case of the matrix is made of. */
export interface Case {
  /** Layers between the input of two features and the output. Default: one dense layer. */
  layers?: () => tf.layers.Layer[];
  /** Batches for training, endless. Default: 12 rows, shuffled, in batches of 4. */
  train?: () => MaybePromise<Dataset<unknown> | Iterable<unknown> | AsyncIterable<unknown>>;
  /** Batches for evaluation. Default: 6 rows, shuffled, in batches of 2. */
  validation?: () => Dataset<unknown>;
  /** Compile the steps. Default: in the long suite only, for state does not depend on it and compiling takes most of the time. */
  compiled?: boolean;
  /** Trainer config besides the defaults of {@link settings}. */
  trainer?: TrainerConfigInput;
}

let current: Case = {};

class MatrixTask extends Task<typeof matrixTask> {
  override buildModel(): tf.Sequential {
    const model = tf.sequential();
    const layers = current.layers?.() ?? [tf.layers.dense({ units: 3, activation: 'tanh' })];
    model.add(tf.layers.inputLayer({ inputShape: [2] }));
    for (const layer of [...layers, tf.layers.dense({ units: 1 })]) model.add(layer);
    return model;
  }

  override async buildInputs(data: { is_training: boolean | null }) {
    if (data.is_training) return (await current.train?.()) ?? rowData(12).shuffle({ bufferSize: 5, seed: 3 }).batch(4).repeat();
    return current.validation?.() ?? rowData(6, 50).shuffle({ seed: 4 }).batch(2);
  }

  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
    return tf.mean(tf.squaredDifference(labels, outputs));
  }

  override buildMetrics(): Metric[] {
    return [new Deviation('deviation')];
  }
}

class Deviation extends Mean {
  override updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null): void {
    tf.tidy(() => super.updateState(tf.abs(tf.sub(labels, predictions!))));
  }
}

const matrixTask = taskConfig({ model: modelConfig({ unused: field.int(0) }) }, { name: 'resume_matrix' });
registerTask(matrixTask, MatrixTask);

/** Steps of a run; loops of 4, evaluations every 6, summaries and checkpoints every 4. */
const trainSteps = 10;

/** `npx vitest run --mode long`. */
export const isLong = (import.meta as { env?: Record<string, unknown> }).env?.['MODE'] === 'long';

function settings({ trainer = {}, compiled }: Case): ExperimentConfig {
  return experimentConfig({
    task: matrixTask({ train_data: { is_training: true, global_batch_size: 4 }, validation_data: { global_batch_size: 2 } }),
    trainer: {
      train_steps: trainSteps,
      steps_per_loop: 4,
      summary_interval: 4,
      checkpoint_interval: 4,
      validation_steps: 2,
      validation_interval: 6,
      best_checkpoint_export_subdir: 'best',
      best_checkpoint_eval_metric: 'deviation',
      best_checkpoint_metric_comp: 'lower',
      optimizer_config: {
        optimizer: { type: 'adam' },
        learning_rate: { type: 'constant', constant: { learning_rate: 0.05 } },
      },
      ...trainer,
    },
    runtime: { seed: 7, run_eagerly: !(compiled ?? isLong) },
  }) as ExperimentConfig;
}

/** All that is compared. */
export interface Trace {
  /** State in the checkpoint of the last step: every tensor and value, as text with all bits. */
  state: Record<string, string>;
  /** Logs of training and evaluation by step, speeds aside. */
  logs: Record<string, string>;
  /** First features of every batch trained on, by step. */
  samples: Record<string, string>;
  /** Values in the event files, by file, tag and step, speeds aside; a value written twice must be the same. */
  events: Record<string, string>;
}

/** Where to stop: before a training step, or within an evaluation (its number and batch). */
export type Stop = { readonly step: number } | { readonly evaluation: number; readonly batch: number };

/** Runs a case in a directory, as a new process would; adds to `trace` what it saw. @returns whether it was stopped */
async function run(directory: string, stop: Stop | null, trace: Trace, options: Partial<RunnerOptions>): Promise<boolean> {
  const params = settings(current);
  const abort = new AbortController();
  let evaluations = 0;
  let batches = 0;
  class Recording extends Trainer {
    override nextTrainInputs(iterator: DataIterator): MaybePromise<never> {
      const step = this.globalStep.value;
      if (stop && 'step' in stop && stop.step === step + 1) abort.abort('test');
      const record = (inputs: never): never => {
        note(trace.samples, `step ${step}`, firstFeatures(inputs));
        return inputs;
      };
      const inputs = super.nextTrainInputs(iterator);
      return inputs instanceof Promise ? inputs.then((i) => record(i as never)) : record(inputs as never);
    }
    override nextEvalInputs(iterator: DataIterator) {
      batches += 1;
      if (stop && 'evaluation' in stop && stop.evaluation === evaluations && stop.batch === batches) abort.abort('test');
      return super.nextEvalInputs(iterator);
    }
    override async evaluate(steps: number): Promise<Output> {
      batches = 0;
      const output = await super.evaluate(steps);
      evaluations += 1;
      return output;
    }
  }
  class Runner extends OrbitExperimentRunner {
    protected override buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
      const make = async () =>
        createTrainer(params, task, {
          train,
          evaluate,
          trainerClass: Recording,
          checkpointExporter: await this.buildBestCheckpointExporter(),
        });
      return make();
    }
  }
  const runner = new Runner({
    task: getTask(params.task) as unknown as Task,
    mode: 'train_and_eval',
    params,
    modelDir: directory,
    signal: abort.signal,
    log: () => {},
    reporter: {
      trainLoopEnd: ({ step, output }) => note(trace.logs, `train ${step}`, asText(output)),
      evaluationEnd: ({ step, output }) => note(trace.logs, `eval ${step}`, asText(output)),
    },
    ...options,
  });
  try {
    await runner.run();
  } catch (error) {
    if (error instanceof TrainingStopped) return true;
    throw error;
  }
  const { items, tensors } = runner.trainer.checkpoint.snapshot(true);
  trace.state = { items: asText(items) };
  for (const [file, named] of Object.entries(tensors)) {
    for (const [name, { dtype, shape, data }] of named) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      trace.state[`${file} ${name}`] = `${dtype} ${shape} ${Buffer.from(bytes).toString('hex')}`;
    }
  }
  for (const part of ['train', 'validation']) {
    for (const file of readdirSync(path.join(directory, part)).sort()) {
      for (const { step, values } of await readEvents(path.join(directory, part, file))) {
        for (const { tag, ...value } of values)
          if (!tag.includes('_per_second')) note(trace.events, `${part} ${tag} ${step}`, asText(value));
      }
    }
  }
  return false;
}

function note(record: Record<string, string>, key: string, value: string): void {
  if (record[key] !== undefined && record[key] !== value) throw new Error(`${key} was ${record[key]} and is now ${value}`);
  record[key] = value;
}

function asText(value: unknown): string {
  return JSON.stringify(value, (key, v: unknown) => (key.endsWith('_per_second') ? undefined : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v)); // prettier-ignore
}

function firstFeatures(inputs: unknown): string {
  const [features] = inputs as [{ data: Float32Array; shape: readonly number[] } | Float32Array[]];
  const data = 'data' in features ? features.data : features.flatMap((f) => [...f]);
  return Array.from(data as ArrayLike<number>, (x) => x.toString()).filter((_, i) => i % 2 === 0).join(' '); // prettier-ignore
}

/** Runs a case without a stop, or with stops one after the other and resumed after each. */
export async function traceOf(each: Case, stops: readonly Stop[] = [], options: Partial<RunnerOptions> = {}): Promise<Trace> {
  current = each;
  const directory = mkdtempSync(path.join(tmpdir(), 'resume-'));
  const trace: Trace = { state: {}, logs: {}, samples: {}, events: {} };
  try {
    for (const stop of [...stops, null]) {
      const wasStopped = await run(directory, stop, trace, options);
      if (wasStopped !== (stop !== null)) throw new Error(`the run did not stop at ${JSON.stringify(stop)}`);
    }
    return trace;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
