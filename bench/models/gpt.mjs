// A small GPT in plain ops: 4 layers, width 128, 4 heads, 128 tokens, vocabulary 256, exact gelu, batch 16.
import * as tf from 'orbit-ts/tf';
import { tokens, weight } from './inputs.mjs';

const BATCH = 16;
const LENGTH = 128;
const WIDTH = 128;
const HEADS = 4;
const DEPTH = 4;
const VOCABULARY = 256;

/** Multiplications and additions of the matrix products, forward and backward, in a step. */
export const flops = 3 * 2 * BATCH * LENGTH * (DEPTH * (12 * WIDTH * WIDTH + 2 * LENGTH * WIDTH) + WIDTH * VOCABULARY);

export function build() {
  const variables = [];
  const own = (variable) => (variables.push(variable), variable);
  const norm = () => ({ gamma: own(tf.variable(tf.ones([WIDTH]))), beta: own(tf.variable(tf.zeros([WIDTH]))) });
  const dense = (a, b) => ({ w: own(weight([a, b])), b: own(tf.variable(tf.zeros([b]))) });

  const embedding = own(weight([VOCABULARY, WIDTH], 0.02));
  const position = own(weight([LENGTH, WIDTH], 0.02));
  const blocks = Array.from({ length: DEPTH }, () => ({
    norm1: norm(),
    norm2: norm(),
    qkv: dense(WIDTH, 3 * WIDTH),
    out: dense(WIDTH, WIDTH),
    up: dense(WIDTH, 4 * WIDTH),
    down: dense(4 * WIDTH, WIDTH),
  }));
  const last = norm();
  const head = own(weight([WIDTH, VOCABULARY]));
  const mask = tf.tensor2d(
    Float32Array.from({ length: LENGTH * LENGTH }, (_, i) => (i % LENGTH > Math.floor(i / LENGTH) ? -1e9 : 0)),
    [LENGTH, LENGTH],
  );

  const normalize = (x, { gamma, beta }) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(gamma).add(beta);
  };
  const linear = (x, { w, b }) => x.matMul(w).add(b);
  const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));
  const heads = (x) => x.reshape([BATCH, LENGTH, HEADS, WIDTH / HEADS]).transpose([0, 2, 1, 3]);
  const attention = (x, block) => {
    const [q, k, v] = tf.split(linear(x, block.qkv), 3, -1).map(heads);
    const weights = tf.softmax(
      tf
        .matMul(q, k, false, true)
        .mul(1 / Math.sqrt(WIDTH / HEADS))
        .add(mask),
    );
    return linear(
      tf
        .matMul(weights, v)
        .transpose([0, 2, 1, 3])
        .reshape([BATCH * LENGTH, WIDTH]),
      block.out,
    );
  };

  const forward = (ids) => {
    let x = tf
      .gather(embedding, ids)
      .add(position)
      .reshape([BATCH * LENGTH, WIDTH]);
    for (const block of blocks) {
      x = x.add(attention(normalize(x, block.norm1), block));
      x = x.add(linear(gelu(linear(normalize(x, block.norm2), block.up)), block.down));
    }
    return normalize(x, last).matMul(head);
  };
  return { forward, variables, x: tokens([BATCH, LENGTH], VOCABULARY), y: tokens([BATCH * LENGTH], VOCABULARY), classes: VOCABULARY };
}
