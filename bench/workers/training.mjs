// Our training loop as a long-lived process: `train` runs the controller, `bare` the same compiled step on one prepared batch.
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { inWorker, mnist } from 'orbit-ts/data';
import { getExperimentConfig, getTask, OrbitExperimentRunner } from 'orbit-ts/experiment';
import { compile } from 'orbit-ts/function';
import { Mean } from 'orbit-ts/metrics';
import { TINY } from '../models/tiny.mjs';
import { serve } from './protocol.mjs';
import { residentBytes } from './resident.mjs';

/** A number of steps that no measurement reaches. */
const NEVER = 1e9;

let runner = null;
let bareStep = null;
/** Walks over the training data: the task's, and the same with each image through a worker. */
let walks = {};
let prepared = [];

/** A second model of the task with its own optimizer and metrics, in a compiled step like the trainer's. */
async function buildBareStep(params, task) {
  const model = task.buildModel();
  const optimizer = task.createOptimizer(params.trainer.optimizer_config, params.runtime);
  const metrics = task.buildMetrics(true);
  const meanLoss = new Mean('training_loss');
  const batch = await firstElement(await task.buildInputs(params.task.train_data));
  const step = compile(
    (inputs) => {
      meanLoss.updateState(task.trainStep(inputs, model, optimizer, metrics).loss);
    },
    { name: 'bench_bare_step' },
  );
  return (inputs = batch) => step.runSync(inputs);
}

async function firstElement(dataset) {
  for await (const element of typeof dataset === 'function' ? await dataset() : dataset) return element;
  throw new Error('the dataset is empty');
}

await serve({
  async load({ experiment }) {
    if (experiment !== TINY) await import('orbit-ts/tasks'); // registers the built-in experiments
    const params = getExperimentConfig(experiment);
    const { trainer } = params;
    trainer.train_steps = NEVER;
    trainer.checkpoint_interval = NEVER;
    trainer.validation_interval = NEVER;
    const modelDir = mkdtempSync(path.join(process.env.BENCH_OUT, `${experiment}-`));
    const task = getTask(params.task, { loggingDir: modelDir });
    runner = new OrbitExperimentRunner({ task, mode: 'train', params, modelDir });
    await runner.build();
    bareStep = await buildBareStep(params, task);
  },
  async train({ steps }) {
    const target = runner.trainer.globalStep.value + steps;
    const start = performance.now();
    await runner.controller.train(target, { checkpointAtCompletion: false });
    return { ms: performance.now() - start };
  },
  /** Prepared batches in memory, and walks over the task's data, for `fed`. */
  async prepare({ batches }) {
    const { task, params } = runner;
    const data = params.task.train_data;
    const piped = await task.buildInputs(data);
    const examples = mnist({ split: 'train' })
      .shuffle({ seed: data.seed ?? 0 })
      .repeat();
    const inThread = examples
      .map(inWorker(import.meta.resolve('./data-augment.mjs'), 'unchanged'), { workers: 1 })
      .batch(data.global_batch_size, { dropRemainder: true });
    prepared = [];
    for await (const batch of piped.take(batches)) prepared.push(batch);
    walks = { pipeline: piped.iterator(), worker: inThread.iterator() };
  },
  /** Steps on batches of a source: `memory`, `pipeline` or `worker`. */
  async fed({ source, steps }) {
    const walk = walks[source];
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      if (walk === undefined) {
        bareStep(prepared[i % prepared.length]);
        continue;
      }
      const { value } = walk.nextSync() ?? (await walk.next());
      bareStep(value);
      walk.release(value);
    }
    return { ms: performance.now() - start };
  },
  bare({ steps }) {
    const start = performance.now();
    for (let i = 0; i < steps; i++) bareStep();
    return { ms: performance.now() - start };
  },
  async memory() {
    const { arrayBuffers, external, heapUsed } = process.memoryUsage();
    return { residentBytes: await residentBytes(), heapUsedBytes: heapUsed, externalBytes: external, arrayBuffersBytes: arrayBuffers };
  },
});
