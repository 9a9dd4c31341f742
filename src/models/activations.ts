/** Activations by name, with Model Garden's definitions. */
import * as tf from '#tf';
import { didYouMean, nearestName } from '../config/index.js';
import { UsageError } from '../errors.js';

/** An activation: elementwise, of any shape (`softmax`: over the last axis). Plain tfjs ops: works eagerly and inside `compile`. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

/** x·Φ(x) by the approximation with tanh. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3))));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  });
}

/** x·Φ(x) exactly, Φ the distribution function of the normal distribution. */
export function exactGelu(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1)));
}

/** x·σ(x). */
export function simpleSwish(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(x, tf.sigmoid(x)));
}

/** x·min(max(x + 3, 0), 6)/6. */
export function hardSwish(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)));
}

/** min(max(x + 3, 0), 6)·0.16667: five digits as in the original, so 1.00002 at the top. */
export function hardSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(tf.relu6(tf.add(x, 3)), 0.16667));
}

/** x·tanh(ln(1 + eˣ)). */
export function mish(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(x, tf.tanh(tf.softplus(x))));
}

/** max(x, 0)². */
export function squaredRelu(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.square(tf.relu(x)));
}

const identity: Activation = (x) => tf.clone(x);

/** What `getActivation` knows. */
const functions: Readonly<Record<string, Activation>> = {
  ...{
    gelu,
    exact_gelu: exactGelu,
    simple_swish: simpleSwish,
    hard_swish: hardSwish,
    hard_sigmoid: hardSigmoid,
    mish,
    identity,
    linear: identity,
  },
  ...{ relu: (x) => tf.relu(x), relu6: (x) => tf.relu6(x), elu: (x) => tf.elu(x), selu: (x) => tf.selu(x) },
  ...{ sigmoid: (x) => tf.sigmoid(x), tanh: (x) => tf.tanh(x), softplus: (x) => tf.softplus(x), exponential: (x) => tf.exp(x) },
  swish: simpleSwish,
  silu: simpleSwish,
  softmax: (x) => tf.softmax(x),
  softsign: (x) => tf.tidy(() => tf.div(x, tf.add(tf.abs(x), 1))),
  leaky_relu: (x) => tf.leakyRelu(x, 0.2),
};

/**
 * The activation of a name, such as `hard_swish` or `hardSwish`; a function is returned as it is.
 * @throws UsageError for a name that is not known, with those that are
 */
export function getActivation(identifier: string | Activation): Activation {
  return typeof identifier === 'function' ? identifier : named(functions, identifier);
}

/** Options of {@link getActivationLayer}. */
export interface ActivationLayerOptions {
  /** Name of the layer. Default: made by tfjs. */
  name?: string;
  /** `leaky_relu`: slope for negative values. Default 0.3. */
  alpha?: number;
  /** `gelu`: the approximation with tanh instead of the exact form. Default false. */
  approximate?: boolean;
}

/**
 * The activation of a name as a layer. Other than as a function, `gelu` is the exact one unless `approximate` is set.
 * @throws UsageError for a name that is no layer, with those that are
 */
export function getActivationLayer(identifier: string, options: ActivationLayerOptions = {}): tf.layers.Layer {
  return named(layers, identifier)(options);
}

/** An activation of this file as a layer; saved by its name. */
class OrbitActivation extends tf.layers.Layer {
  static className = 'OrbitActivation';
  readonly #activation: string;

  constructor({ activation, ...config }: { activation: string; name?: string }) {
    super(config);
    this.#activation = activation;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    return getActivation(this.#activation)(x!);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.#activation };
  }
}
tf.serialization.registerClass(OrbitActivation);

type LayerMaker = (options: ActivationLayerOptions) => tf.layers.Layer;

const ours =
  (activation: string): LayerMaker =>
  ({ name }) =>
    new OrbitActivation({ activation, name });

const layers: Readonly<Record<string, LayerMaker>> = {
  relu: ({ name }) => tf.layers.reLU({ name }),
  relu6: ({ name }) => tf.layers.reLU({ maxValue: 6, name }),
  leaky_relu: ({ name, alpha = 0.3 }) => tf.layers.leakyReLU({ alpha, name }),
  linear: ours('linear'),
  identity: ours('identity'),
  swish: ours('simple_swish'),
  sigmoid: ours('sigmoid'),
  hard_swish: ours('hard_swish'),
  hard_sigmoid: ours('hard_sigmoid'),
  mish: ours('mish'),
  gelu: (options) => ours(options.approximate ? 'gelu' : 'exact_gelu')(options),
};

/** Capital letters and underscores do not count: tfjs reads `hard_swish` of a saved layer as `hardSwish`. */
function named<T>(known: Readonly<Record<string, T>>, identifier: string): T {
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const names = Object.keys(known);
  const found = names.find((name) => plain(name) === plain(String(identifier)));
  if (found !== undefined) return known[found]!;
  throw new UsageError(`"${identifier}" is no activation.${didYouMean(nearestName(identifier, names))} Known: ${names.join(', ')}.`);
}
