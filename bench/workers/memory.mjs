// Compiled functions that come and go: `compile` makes, runs and disposes of `functions` of them; `steps` runs one many times.
import { setTimeout } from 'node:timers/promises';
import { compile } from 'orbit-ts/function';
import * as tf from 'orbit-ts/tf';
import { median } from '../lib/stats.mjs';
import { serve } from './protocol.mjs';

/** A training step of two dense layers on a batch of 16, and how to get rid of it. */
function makeStep() {
  const variables = tf.tidy(() => [tf.variable(tf.randomNormal([64, 32])), tf.variable(tf.randomNormal([32, 10]))]); // keeps variables, not their first values
  const [first, second] = variables;
  const optimizer = tf.train.sgd(0.1);
  const x = tf.randomNormal([16, 64]);
  const step = compile(
    () =>
      optimizer.minimize(
        () =>
          tf
            .matMul(tf.relu(tf.matMul(x, first)), second)
            .square()
            .mean(),
        true,
        variables,
      ),
    { name: 'bench_memory' },
  );
  const dispose = () => {
    step.dispose();
    tf.dispose([x, ...variables]);
    optimizer.dispose();
  };
  return { step, dispose };
}

/** Median of five readings of resident memory, each after two forced collections, and what tfjs still holds. */
async function reading() {
  const readings = [];
  for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 2; j++) {
      globalThis.gc();
      await setTimeout(20);
    }
    readings.push(process.memoryUsage.rss());
  }
  return { residentBytes: median(readings), tensors: tf.memory().numTensors };
}

const kept = makeStep();

await serve({
  async compile({ functions }) {
    for (let i = 0; i < functions; i++) {
      const { step, dispose } = makeStep();
      for (let run = 0; run < 3; run++) (await step()).dispose();
      dispose();
    }
    return reading();
  },
  async steps({ steps }) {
    for (let i = 0; i < steps; i++) (await kept.step()).dispose();
    return reading();
  },
});
