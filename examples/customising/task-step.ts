/** A task with a training step of its own, in plain TensorFlow.js. It is compiled like the default one. */
import { Mean, runExperiment, trainableVariables } from 'orbit-ts';
import type { Metric, Model, Optimizer, StepLogs, Tensors } from 'orbit-ts';
import * as tf from 'orbit-ts/tf';
import { LineTask, lineRun } from './line-task.js';

/** Learns from points that are mixed pairwise (mixup), and reports how large the gradients are. */
class MixupTask extends LineTask {
  override buildMetrics(training?: boolean): Metric[] {
    return training ? [new Mean('gradient_norm')] : [];
  }

  /** Tensor code only: no promises, and no value can be read here. It runs as one native graph. */
  override trainStep(inputs: Tensors, model: Model, optimizer: Optimizer, metrics: readonly Metric[] = []): StepLogs {
    const [x, y] = inputs as [tf.Tensor2D, tf.Tensor2D];
    const share = tf.randomUniform([x.shape[0], 1]); // other numbers in every step, the same in every run
    const mix = <T extends tf.Tensor>(t: T): T => t.mul(share).add(t.reverse(0).mul(tf.sub(1, share))) as T;
    const variables = trainableVariables(model);
    const { value: loss, grads } = tf.variableGrads(
      () => tf.losses.meanSquaredError(mix(y), model.apply(mix(x), { training: true }) as tf.Tensor) as tf.Scalar,
      variables,
    );
    optimizer.applyGradients(variables.map((v) => [grads[v.name]!, v]));
    const squares = variables.map((v) => grads[v.name]!.square().sum() as tf.Scalar);
    metrics[0]?.updateState(tf.addN(squares).sqrt());
    return { loss };
  }
}

/** Trains; resolves to the mean size of the gradients in each loop. */
export async function main(modelDir: string): Promise<number[]> {
  const norms: number[] = [];
  const run = lineRun(modelDir);
  const task = new MixupTask(run.params.task as ReturnType<typeof import('./line-task.js').lineTask>);
  await runExperiment({ ...run, task, trainActions: [(output) => void norms.push(output['gradient_norm'] as number)] });
  return norms;
}
