// Training steps of orbit-ts: forward, gradients and Adam compiled into one call. Also the machine's peak, a large GEMM.
import { compile } from 'orbit-ts/function';
import { Adam } from 'orbit-ts/optimization';
import * as tf from 'orbit-ts/tf';
import { loadModel } from '../models/index.mjs';
import { serve } from './protocol.mjs';

/** A function that runs one training step on a fixed batch and returns the loss. */
async function buildStep(name) {
  const { build } = await loadModel(name);
  const { forward, variables, x, y, classes } = build();
  const optimizer = new Adam({ learningRate: 1e-3 });
  const step = compile(
    (x, y) => {
      const { value, grads } = tf.variableGrads(
        () => tf.losses.softmaxCrossEntropy(tf.oneHot(y, classes, 1, 0, 'float32'), forward(x)),
        variables,
      );
      optimizer.applyGradients(variables.map((v) => [grads[v.name], v]));
      return value;
    },
    { name: `bench_${name}` },
  );
  return () => {
    const loss = step.runSync(x, y);
    const value = loss.dataSync()[0];
    loss.dispose();
    return value;
  };
}

let step = null;

function timed(run) {
  const start = performance.now();
  const result = run();
  return [performance.now() - start, result];
}

await serve({
  async load({ model }) {
    step = await buildStep(model);
    const [firstStepMs, loss] = timed(step);
    return { firstStepMs, loss };
  },
  run({ steps }) {
    const ms = [];
    let loss = NaN;
    for (let i = 0; i < steps; i++) {
      const [time, value] = timed(step);
      ms.push(time);
      loss = value;
    }
    return { ms, loss };
  },
  /** Times of `repeats` float32 matrix products [size, size] × [size, size]. */
  gemm({ size, repeats }) {
    const product = compile((a, b) => tf.matMul(a, b), { name: 'bench_gemm' });
    const a = tf.randomNormal([size, size]);
    const b = tf.randomNormal([size, size]);
    const ms = [];
    for (let i = 0; i < repeats; i++) {
      const [time, c] = timed(() => product.runSync(a, b));
      c.dispose();
      ms.push(time);
    }
    return { ms };
  },
});
