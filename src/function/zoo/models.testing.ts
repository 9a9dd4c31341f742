/** For tests: small models of every common kind, with a step that trains each. */
import * as tf from '#tf';
import { classifier, labels, variablesOf, type Build, type Training } from './compare.testing.js';

const l = tf.layers;
const IMAGE = [8, 8, 2];
const CLASSES = 4;
type Symbolic = tf.SymbolicTensor;

const supervised = (model: tf.LayersModel, optimizer: tf.Optimizer, x: tf.Tensor, classes = CLASSES): Training => {
  const y = labels(x.shape[0]!, classes);
  return { steps: [classifier(model, optimizer) as Training['steps'][number]], batch: () => [x, y] };
};

/** Convolution, batch norm and relu. */
const convolution = (x: Symbolic, filters: number, strides = 1): Symbolic => {
  const y = l.conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false }).apply(x) as Symbolic;
  return l.reLU().apply(l.batchNormalization().apply(y)) as Symbolic;
};

const mlp: Build = () =>
  supervised(
    tf.sequential({
      layers: [
        l.dense({ inputShape: [20], units: 24, activation: 'relu', kernelRegularizer: tf.regularizers.l1l2({ l1: 1e-4, l2: 1e-3 }) }),
        l.dropout({ rate: 0.2 }),
        l.layerNormalization(),
        l.dense({ units: CLASSES }),
      ],
    }),
    tf.train.adam(0.01),
    tf.randomNormal([8, 20]),
  );

const cnn: Build = () =>
  supervised(
    tf.sequential({
      layers: [
        l.conv2d({ inputShape: IMAGE, filters: 6, kernelSize: 3, activation: 'relu', padding: 'same' }),
        l.conv2d({ filters: 6, kernelSize: 3, activation: 'relu' }),
        l.maxPooling2d({ poolSize: 2 }),
        l.dropout({ rate: 0.25 }),
        l.flatten(),
        l.dense({ units: 12, activation: 'relu' }),
        l.dense({ units: CLASSES }),
      ],
    }),
    tf.train.momentum(0.01, 0.9),
    tf
      .randomNormal([6, ...IMAGE])
      .relu()
      .sub(0.5)
      .relu(), // flat regions, as in drawings: pools meet equal maxima
  );

const resnet: Build = () => {
  const input = tf.input({ shape: IMAGE });
  let x = convolution(input, 6);
  for (const [filters, strides] of [
    [6, 1],
    [8, 2],
  ] as const) {
    const y = l
      .batchNormalization()
      .apply(l.conv2d({ filters, kernelSize: 3, padding: 'same' }).apply(convolution(x, filters, strides))) as Symbolic;
    const shortcut = strides === 1 ? x : (l.conv2d({ filters, kernelSize: 1, strides }).apply(x) as Symbolic);
    x = l.reLU().apply(l.add().apply([y, shortcut])) as Symbolic;
  }
  const output = l.dense({ units: CLASSES }).apply(l.globalAveragePooling2d({}).apply(x)) as Symbolic;
  return supervised(tf.model({ inputs: input, outputs: output }), tf.train.sgd(0.01), tf.randomNormal([6, ...IMAGE]));
};

const separable: Build = () =>
  supervised(
    tf.sequential({
      layers: [
        l.separableConv2d({ inputShape: IMAGE, filters: 6, kernelSize: 3, padding: 'same', activation: 'relu' }),
        l.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', depthMultiplier: 2 }),
        l.batchNormalization(),
        l.activation({ activation: 'relu6' }),
        l.gaussianNoise({ stddev: 0.1 }),
        l.averagePooling2d({ poolSize: 2 }),
        l.flatten(),
        l.dense({ units: CLASSES }),
      ],
    }),
    tf.train.rmsprop(0.003),
    tf.randomNormal([4, ...IMAGE]),
  );

const unet: Build = () => {
  const input = tf.input({ shape: IMAGE });
  const down = convolution(input, 4);
  const pooled = l.maxPooling2d({ poolSize: 2 }).apply(down) as Symbolic;
  const middle = convolution(pooled, 6);
  const up = l.upSampling2d({ size: [2, 2] }).apply(middle) as Symbolic;
  const joined = convolution(l.concatenate().apply([up, down]) as Symbolic, 4);
  const transposed = l.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 2, padding: 'same' }).apply(middle) as Symbolic;
  const output = l.conv2d({ filters: 1, kernelSize: 1 }).apply(l.concatenate().apply([joined, transposed])) as Symbolic;
  const model = tf.model({ inputs: input, outputs: output });
  const optimizer = tf.train.adam(0.003);
  const x = tf.randomNormal([3, ...IMAGE]);
  const y = tf.cast(tf.greater(tf.sum(x, -1, true), 0), 'float32');
  const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.losses.sigmoidCrossEntropy(b, model.apply(a, { training: true }) as tf.Tensor);
  return { steps: [(a, b) => optimizer.minimize(() => loss(a!, b!), true, variablesOf(model))!], batch: () => [x, y] };
};

const autoencoder: Build = () => {
  const encoder = tf.sequential({ layers: [l.dense({ inputShape: [16], units: 8, activation: 'tanh' }), l.dense({ units: 4 })] });
  const decoder = tf.sequential({ layers: [l.dense({ inputShape: [2], units: 8, activation: 'elu' }), l.dense({ units: 16 })] });
  const optimizer = tf.train.adagrad(0.02);
  const x = tf.randomUniform([6, 16]);
  const step = (a: tf.Tensor): tf.Tensor =>
    optimizer.minimize(
      () => {
        const [mean, deviation] = tf.split(encoder.apply(a) as tf.Tensor, 2, 1) as [tf.Tensor, tf.Tensor];
        const code = mean.add(tf.randomNormal(mean.shape).mul(deviation.mul(0.5).exp()));
        const divergence = mean.square().add(deviation.exp()).sub(deviation).sub(1).mean().mul(0.05);
        return tf.losses.meanSquaredError(a, decoder.apply(code) as tf.Tensor).add(divergence) as tf.Scalar;
      },
      true,
      [...variablesOf(encoder), ...variablesOf(decoder)],
    )!;
  return { steps: [step as Training['steps'][number]], batch: () => [x] };
};

/** Multi-head attention and a feed-forward part, written in plain ops. */
function transformerBlock(width: number, heads: number): { weights: tf.Variable[]; apply: (x: tf.Tensor, mask: tf.Tensor) => tf.Tensor } {
  const weight = (...shape: number[]): tf.Variable => tf.variable(tf.randomNormal(shape, 0, 0.3));
  const [qkv, out, up, down] = [weight(width, 3 * width), weight(width, width), weight(width, 2 * width), weight(2 * width, width)];
  const [scale1, scale2] = [tf.variable(tf.ones([width])), tf.variable(tf.ones([width]))];
  const norm = (x: tf.Tensor, scale: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(scale);
  };
  const dense = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
    tf.matMul(x.reshape([-1, x.shape.at(-1)!]) as tf.Tensor2D, w as tf.Tensor2D).reshape([...x.shape.slice(0, -1), w.shape[1]!]);
  return {
    weights: [qkv, out, up, down, scale1, scale2] as tf.Variable[],
    apply: (x, mask) => {
      const [batch, time] = x.shape as [number, number];
      const [q, k, v] = tf
        .split(dense(norm(x, scale1), qkv), 3, -1)
        .map((t) => t.reshape([batch, time, heads, width / heads]).transpose([0, 2, 1, 3])) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(width / heads));
      const attention = tf.dropout(scores.add(mask).softmax(), 0.1);
      const mixed = tf.matMul(attention, v).transpose([0, 2, 1, 3]).reshape([batch, time, width]);
      const y = x.add(dense(mixed, out));
      const inner = dense(norm(y, scale2), up);
      const gelu = inner.mul(inner.mul(Math.SQRT1_2).erf().add(1)).mul(0.5);
      return y.add(dense(gelu, down));
    },
  };
}

const [VOCABULARY, TIME, WIDTH] = [11, 6, 8];
const tokens = (offset = 0): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 3 * (TIME + 1) }, (_, i) => (i * i + offset) % VOCABULARY),
    [3, TIME + 1],
    'int32',
  );

const gpt: Build = () => {
  const table = tf.variable(tf.randomNormal([VOCABULARY, WIDTH], 0, 0.5));
  const places = tf.variable(tf.randomNormal([TIME, WIDTH], 0, 0.1));
  const blocks = [transformerBlock(WIDTH, 2), transformerBlock(WIDTH, 2)];
  const optimizer = tf.train.adam(0.003);
  const step = (ids: tf.Tensor): tf.Tensor =>
    optimizer.minimize(
      () => {
        const past = tf.linalg.bandPart(tf.ones([TIME, TIME]), -1, 0);
        const mask = tf.sub(1, past).mul(-1e9);
        let x = tf.gather(table, ids.slice([0, 0], [-1, TIME])).add(places);
        for (const block of blocks) x = block.apply(x, mask);
        const logits = tf.matMul(x.reshape([-1, WIDTH]), table as tf.Tensor, false, true); // tied weights
        return tf.losses.softmaxCrossEntropy(tf.oneHot(ids.slice([0, 1], [-1, TIME]).flatten(), VOCABULARY), logits);
      },
      true,
      [table, places, ...blocks.flatMap((b) => b.weights)],
    )!;
  return { steps: [step as Training['steps'][number]], batch: () => [tokens()] };
};

const bert: Build = () => {
  const table = tf.variable(tf.randomNormal([VOCABULARY, WIDTH], 0, 0.5));
  const head = tf.variable(tf.randomNormal([WIDTH, 2], 0, 0.5));
  const block = transformerBlock(WIDTH, 4);
  const optimizer = tf.train.adamax(0.005);
  const y = labels(3, 2);
  const step = (ids: tf.Tensor, target: tf.Tensor): tf.Tensor =>
    optimizer.minimize(
      () => {
        const real = tf.cast(ids.notEqual(tf.scalar(0, 'int32')), 'float32'); // token 0 is padding
        const mask = real
          .sub(1)
          .mul(1e9)
          .reshape([3, 1, 1, TIME + 1]);
        const x = block.apply(tf.gather(table, ids), mask);
        const pooled = x.mul(real.expandDims(-1)).sum(1).div(real.sum(1, true));
        return tf.losses.softmaxCrossEntropy(target, tf.matMul(pooled as tf.Tensor2D, head as tf.Tensor2D));
      },
      true,
      [table, head, ...block.weights],
    )!;
  return { steps: [step as Training['steps'][number]], batch: () => [tokens(2), y] };
};

const recurrent =
  (layer: (input: tf.Shape) => tf.layers.Layer, optimizer: () => tf.Optimizer): Build =>
  () =>
    supervised(tf.sequential({ layers: [layer([10, 3]), l.dense({ units: CLASSES })] }), optimizer(), tf.randomNormal([4, 10, 3]));

const cell = { units: 5, recurrentInitializer: 'glorotUniform' } as const;
const lstm = recurrent(
  (inputShape) => l.lstm({ ...cell, inputShape, dropout: 0.1 }),
  () => tf.train.adam(0.01),
);
const gru = recurrent(
  (inputShape) => l.gru({ ...cell, inputShape, recurrentDropout: 0.1 }),
  () => tf.train.adadelta(0.01),
);
const bidirectional = recurrent(
  (inputShape) =>
    l.bidirectional({ layer: l.lstm({ ...cell, recurrentActivation: 'sigmoid' }) as tf.RNN, mergeMode: 'concat', inputShape }),
  () => tf.train.momentum(0.01, 0.9, true),
);

/** Words as a bag: embeddings with padding masked out, averaged; a recurrent layer reads the same masked words. */
const embeddingBag: Build = () => {
  const input = tf.input({ shape: [TIME + 1] });
  const words = l.embedding({ inputDim: VOCABULARY, outputDim: 6, maskZero: true }).apply(input) as Symbolic;
  const read = l.gru({ ...cell, units: 4 }).apply(words) as Symbolic;
  const bag = l.globalAveragePooling1d().apply(words) as Symbolic;
  const output = l.dense({ units: CLASSES }).apply(l.concatenate().apply([read, bag])) as Symbolic;
  return supervised(tf.model({ inputs: input, outputs: output }), tf.train.adam(0.01), tf.cast(tokens(), 'float32'));
};

/** Two optimizers in two functions: the generator's step reads the discriminator's variables, and the other way round. */
const gan: Build = () => {
  const generator = tf.sequential({
    layers: [l.dense({ inputShape: [3], units: 8, activation: 'relu' }), l.batchNormalization(), l.dense({ units: 5 })],
  });
  const discriminator = tf.sequential({
    layers: [l.dense({ inputShape: [5], units: 8 }), l.leakyReLU({ alpha: 0.2 }), l.dropout({ rate: 0.2 }), l.dense({ units: 1 })],
  });
  const optimizers = [tf.train.adam(0.01, 0.5), tf.train.sgd(0.01)] as const;
  const fake = (n: number): tf.Tensor => generator.apply(tf.randomNormal([n, 3]), { training: true }) as tf.Tensor;
  const judge = (x: tf.Tensor): tf.Tensor => discriminator.apply(x, { training: true }) as tf.Tensor;
  const real = tf.randomUniform([6, 5]);
  const entropy = (logits: tf.Tensor, target: number): tf.Scalar => tf.losses.sigmoidCrossEntropy(tf.fill(logits.shape, target), logits);
  return {
    steps: [
      (x) => optimizers[0].minimize(() => entropy(judge(x!), 1).add(entropy(judge(fake(6)), 0)), true, variablesOf(discriminator))!,
      () => optimizers[1].minimize(() => entropy(judge(fake(6)), 1), true, variablesOf(generator))!,
    ],
    batch: () => [real],
  };
};

/** A siamese network: one nested model applied to two inputs, part of it frozen. */
const siamese: Build = () => {
  const frozen = l.dense({ units: 7, activation: 'sigmoid', inputShape: [9] });
  const tower = tf.sequential({
    layers: [frozen, l.dense({ units: 5, activation: 'tanh', kernelConstraint: tf.constraints.maxNorm({}) })],
  });
  frozen.trainable = false;
  const [a, b] = [tf.input({ shape: [9] }), tf.input({ shape: [9] })];
  const both = [tower.apply(a), tower.apply(b)] as Symbolic[];
  const features = l.concatenate().apply([l.multiply().apply(both) as Symbolic, l.maximum().apply(both) as Symbolic]);
  const model = tf.model({ inputs: [a, b], outputs: l.dense({ units: 1, activation: 'sigmoid' }).apply(features) as Symbolic });
  const optimizer = tf.train.adam(0.01);
  const [x, y, same] = [tf.randomNormal([6, 9]), tf.randomNormal([6, 9]), tf.tensor2d([0, 1, 1, 0, 1, 0], [6, 1])];
  const loss = (p: tf.Tensor, q: tf.Tensor, t: tf.Tensor): tf.Scalar =>
    tf.losses.logLoss(t, model.apply([p, q], { training: true }) as tf.Tensor);
  return { steps: [(p, q, t) => optimizer.minimize(() => loss(p!, q!, t!), true, variablesOf(model))!], batch: () => [x, y, same] };
};

/** The models by name. */
export const zoo: Readonly<Record<string, Build>> = {
  MLP: mlp,
  CNN: cnn,
  'ResNet with batch norm': resnet,
  'separable and depthwise convolutions': separable,
  'U-Net with upsampling': unet,
  'variational autoencoder': autoencoder,
  GPT: gpt,
  'BERT-style encoder with masks': bert,
  LSTM: lstm,
  GRU: gru,
  'bidirectional LSTM': bidirectional,
  'embedding bag': embeddingBag,
  'GAN with two optimizers': gan,
  'siamese network, partly frozen': siamese,
};
