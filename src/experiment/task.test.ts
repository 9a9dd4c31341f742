import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { fromArrays, fromItems, NDArray } from '../data/index.js';
import type { Dataset } from '../data/index.js';
import { Mean, MeanAbsoluteError } from '../metrics/index.js';
import type { Metric } from '../metrics/index.js';
import type { OptimizationConfig } from './config.js';
import { experimentConfig, taskConfig } from './config.js';
import { createTrainer } from './factories.js';
import type { Model, Tensors } from './model.js';
import { runExperiment } from './run-experiment.js';
import { Task } from './task.js';
import type { StepLogs } from './task.js';
import { describeTensors } from './task-checks.js';

const schema = taskConfig({}, { name: 'TaskOfTests' });
const rows = [1, 2, 3, 4, 5, 6];

/** y = 2x with one weight, which starts at 1; batches of two rows. */
class Doubling extends Task<typeof schema> {
  override buildModel(): tf.Sequential {
    return tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'ones', useBias: false })] });
  }
  override buildInputs(): Dataset<unknown> {
    const x = NDArray.of(Float32Array.from(rows), [6, 1]);
    return fromArrays([
      x,
      NDArray.of(
        Float32Array.from(rows, (v) => 2 * v),
        [6, 1],
      ),
    ]).batch(2);
  }
  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
    return tf.losses.meanSquaredError(labels, outputs);
  }
}

const params = (): ReturnType<typeof experimentConfig> =>
  experimentConfig({
    task: schema(),
    trainer: {
      ...{ train_steps: 3, steps_per_loop: 3, summary_interval: 3, checkpoint_interval: 3 },
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } } },
    },
  });

const config = schema();
const squares = rows.map((v) => v * v); // squared errors of the weight 1
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('a task', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-task-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const evaluate = async (task: Task): Promise<Record<string, unknown>> => {
    const trainer = createTrainer(params(), task, { train: false });
    return (await trainer.evaluate(-1)) as Record<string, unknown>;
  };

  it('has no directory and the name of its class unless told otherwise', () => {
    expect([new Doubling(config).name, new Doubling(config).loggingDir]).toEqual(['Doubling', '']);
    expect(new Doubling(schema({ name: 'twice' })).name).toBe('twice');
    expect(new Doubling(config, { name: 'mine', loggingDir: 'runs' })).toMatchObject({ name: 'mine', loggingDir: 'runs' });
  });

  it('evaluates with its loss alone by default', async () => {
    expect(await evaluate(new Doubling(config))).toEqual({ validation_loss: expect.closeTo(mean(squares), 4) as number });
  });

  it('without a loss of its own has the sum of the model’s losses', async () => {
    class Silent extends Doubling {
      override buildLosses = Task.prototype.buildLosses;
      override buildModel(): tf.Sequential {
        const kernelRegularizer = tf.regularizers.l2({ l2: 0.5 });
        return tf.sequential({
          layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'ones', useBias: false, kernelRegularizer })],
        });
      }
    }
    expect(await evaluate(new Silent(config))).toEqual({ validation_loss: 0.5 });
  });

  it('gives a batch that is no pair to model and loss as it is', async () => {
    class Alone extends Doubling {
      override buildInputs(): Dataset<unknown> {
        return fromItems([new NDArray(Float32Array.of(3), [1, 1], 'float32')]);
      }
      override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
        return labels.sub(2).mul(outputs).sum();
      }
    }
    expect(await evaluate(new Alone(config))).toEqual({ validation_loss: 3 });
  });

  it('may make its own optimizer', async () => {
    class Fast extends Doubling {
      override createOptimizer(optimizer: OptimizationConfig): ReturnType<Task['createOptimizer']> {
        const made = super.createOptimizer(optimizer);
        made.learningRate = 0.25;
        return made;
      }
    }
    const logs: unknown[] = [];
    await runExperiment({
      ...{ task: new Fast(config), params: params(), mode: 'train', modelDir: directory, reporter: {}, log: () => {} },
      trainActions: [(output) => void logs.push(output['learning_rate'])],
    });
    expect(logs).toEqual([0.25]);
  });

  it('may run the model its own way outside training', async () => {
    class Sharp extends Doubling {
      override inferenceStep(features: Tensors, model: Model): Tensors {
        return tf.mul(2, super.inferenceStep(features, model) as tf.Tensor); // as if the weight were 2
      }
    }
    expect(await evaluate(new Sharp(config))).toEqual({ validation_loss: 0 });
  });

  it('may take its evaluation step and metrics in hand', async () => {
    class Own extends Doubling {
      override buildMetrics(training?: boolean): Metric[] {
        return training ? [] : [new Mean('sum_of_labels')];
      }
      override validationStep(inputs: Tensors, _model: Model, metrics: readonly Metric[] = []): StepLogs {
        const [, labels] = inputs as [tf.Tensor, tf.Tensor];
        metrics[0]!.updateState(labels.sum());
        return {};
      }
    }
    // Without a loss in the logs there is none in the results.
    expect(await evaluate(new Own(config))).toEqual({ sum_of_labels: 14 });
  });

  it('gives labels and outputs to each metric, or to those that processMetrics chooses', async () => {
    class Measured extends Doubling {
      override buildMetrics(): Metric[] {
        return [new MeanAbsoluteError('first'), new MeanAbsoluteError('second')];
      }
      override processMetrics(metrics: readonly Metric[], labels: Tensors, outputs: Tensors): void {
        super.processMetrics(metrics.slice(0, 1), labels, outputs);
        super.processMetrics(metrics.slice(1), labels, tf.mul(2, outputs as tf.Tensor));
      }
    }
    expect(await evaluate(new Measured(config))).toMatchObject({ first: 3.5, second: 0 });
  });

  it('may collect the logs of all steps on the host and make results of them', async () => {
    const states: unknown[] = [];
    class Collecting extends Doubling {
      override validationStep(inputs: Tensors, model: Model, metrics?: readonly Metric[]): StepLogs {
        const [features] = inputs as [tf.Tensor];
        return { ...super.validationStep(inputs, model, metrics), largest: features.max() };
      }
      override aggregateLogs(state: unknown, stepLogs: { readonly [name: string]: unknown }): unknown {
        states.push(state);
        const [largest] = stepLogs['largest'] as [tf.Tensor];
        return [...((state as number[] | undefined) ?? []), largest.arraySync() as number];
      }
      override async reduceAggregatedLogs(collected: unknown, globalStep?: number): Promise<{ largest: number; at_step: number }> {
        return { largest: Math.max(...(collected as number[])), at_step: globalStep! };
      }
    }
    expect(await evaluate(new Collecting(config))).toEqual({
      validation_loss: expect.closeTo(mean(squares), 4) as number,
      largest: 6,
      at_step: 0,
    });
    expect(states).toEqual([undefined, [2], [2, 4]]);
  });
});

describe('a model that was compiled', () => {
  it('is refused: its loss and metrics would do nothing', () => {
    class Compiled extends Doubling {
      override buildModel(): tf.Sequential {
        const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
        model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
        return model;
      }
    }
    expect(() => createTrainer(experimentConfig({ task: config }), new Compiled(config))).toThrow(
      /Compiled\.buildModel returned a model that was compiled .*losses belong to buildLosses/,
    );
  });
});

describe('describeTensors', () => {
  it('shows types and shapes of any nesting', () => {
    expect(describeTensors({ a: tf.ones([2, 3]), b: [tf.scalar(1, 'int32'), 'text'] })).toBe(
      '{a: float32[2, 3], b: [int32[], the text "text"]}',
    );
  });
});
