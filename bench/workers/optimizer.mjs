// Updates by Adam alone in orbit-ts: gradients are given, so that a step is the optimizer's share of a training step.
import { compile } from 'orbit-ts/function';
import { Adam } from 'orbit-ts/optimization';
import * as tf from 'orbit-ts/tf';
import { serve } from './protocol.mjs';

let step = null;

await serve({
  load({ shapes }) {
    const variables = shapes.map((shape) => tf.variable(tf.fill(shape, 0.1)));
    const gradients = shapes.map((shape) => tf.variable(tf.fill(shape, 0.01), false));
    const optimizer = new Adam({ learningRate: 1e-3 });
    const update = compile(() => optimizer.applyGradients(variables.map((v, i) => [gradients[i], v])), { name: 'bench_optimizer' });
    step = () => update.runSync();
    const start = performance.now();
    step();
    return { firstStepMs: performance.now() - start };
  },
  run({ steps }) {
    const ms = [];
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      step();
      ms.push(performance.now() - start);
    }
    return { ms };
  },
});
