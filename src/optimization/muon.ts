import * as tf from '#tf';
import { adamRule } from './adam.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { ConfigError } from '../errors.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireInteger, requireNumber } from './options.js';
import { matcher, noDecay, patternedDecay, type PatternedDecayOptions } from './weight-decay.js';

/** Options of `Muon`. */
export interface MuonOptions extends OptimizerOptions, PatternedDecayOptions {
  /** μ in [0, 1). Default 0.95. */
  momentum: number;
  /** Whether the gradient itself takes part in the direction, as in Nesterov's form. Default true. */
  nesterov: boolean;
  /** Number of Newton-Schulz iterations. Default 5. */
  newtonSchulzSteps: number;
  /**
   * Size of a matrix's step: `match_adam`, 0.2·√max(rows, columns), whose elements move as far as Adam's, so that one rate
   * serves both; `original`, √max(1, outputs/inputs), for rates of about 0.02. Default `match_adam`.
   */
  scaling: string;
  /** Patterns of matrices that Adam updates, such as embeddings and the last layer. Default none. */
  useAdamFor: readonly string[] | null;
  /** Adam's β₁ in [0, 1). Default 0.9. */
  beta1: number;
  /** Adam's β₂ in [0, 1). Default 0.999. */
  beta2: number;
  /** Adam's ε. Default 1e-7. */
  epsilon: number;
}

/** The scalars of one update: η, and the step of Adam's rule. */
interface MuonStep {
  learningRate: tf.Scalar;
  adam: tf.Scalar;
}

/**
 * Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; `match_adam`: Liu et al., "Muon is Scalable
 * for LLM Training", 2025): matrices move in the direction of the nearest orthogonal matrix to their momentum, all else by Adam.
 *
 * θ ← θ − η·λ·θ where θ decays;  m ← μ·m + (1−μ)·g;  d = (1−μ)·g + μ·m with Nesterov's form, else m;  θ ← θ − η·scale·orthogonal(d).
 * Variables with more than two dimensions count as matrices of `[all others, last]`. Slots: `m`, or those of `Adam`.
 */
export class Muon extends RuleOptimizer<MuonStep> {
  constructor(options: Given<MuonOptions> = {}) {
    const defaults: MuonOptions = {
      ...commonDefaults('Muon'),
      ...noDecay,
      momentum: 0.95,
      nesterov: true,
      newtonSchulzSteps: 5,
      scaling: 'match_adam',
      useAdamFor: null,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
    };
    const o = readOptions(options, defaults, 'Muon');
    super({ ...composed(o, 'legacy'), rule: muonRule(o), weightDecay: patternedDecay(o) });
  }
}

/** The update rule of `Muon`. */
export function muonRule(o: MuonOptions): UpdateRule<MuonStep> {
  const momentum = requireNumber(o.momentum, 'momentum', o.name, 0, 1 - 2 ** -24);
  const iterations = requireInteger(o.newtonSchulzSteps, 'newton_schulz_steps', o.name, 1);
  if (o.scaling !== 'match_adam' && o.scaling !== 'original')
    throw new ConfigError(`${o.name}: scaling must be match_adam or original, but is "${o.scaling}".`, { path: 'scaling' });
  const adam = adamRule({ ...o, amsgrad: false });
  const excluded = matcher(o.useAdamFor, 'use_adam_for', o.name);
  const isMatrix = (shape: readonly number[], path: string) => shape.length >= 2 && !excluded(path);
  return {
    slots: (shape, path) => (isMatrix(shape, path) ? { m: { fill: 0 } } : adam.slots(shape, path)),
    step: (learningRate, count) => ({ learningRate, adam: adam.step(learningRate, count) }),
    update(parameter, gradient, slots, step, path): Updated {
      if (!isMatrix(parameter.shape, path)) return adam.update(parameter, gradient, slots, step.adam, path);
      const m = tf.add(slots.m!, tf.mul(tf.sub(gradient, slots.m!), 1 - momentum));
      const direction = o.nesterov ? tf.add(gradient, tf.mul(tf.sub(m, gradient), momentum)) : m;
      const outputs = parameter.shape[parameter.rank - 1]!;
      const inputs = parameter.size / outputs;
      const scale = o.scaling === 'original' ? Math.sqrt(Math.max(1, outputs / inputs)) : 0.2 * Math.sqrt(Math.max(inputs, outputs));
      const unit = tf.reshape(orthogonalized(tf.reshape(direction, [inputs, outputs]), iterations), parameter.shape);
      return { parameter: tf.sub(parameter, tf.mul(unit, tf.mul(step.learningRate, scale))), slots: { m } };
    },
  };
}

/**
 * A matrix with the singular vectors of `matrix` and singular values near 1 (about 0.7 to 1.2 after five iterations), by the
 * quintic Newton-Schulz iteration X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X from X = matrix/‖matrix‖. A matrix of zeros stays one.
 */
export function orthogonalized(matrix: tf.Tensor2D, iterations = 5): tf.Tensor2D {
  const [a, b, c] = [3.4445, -4.775, 2.0315];
  const isTall = matrix.shape[0] > matrix.shape[1];
  const norm = tf.sqrt(tf.sum(tf.square(matrix)));
  let x = tf.div(isTall ? tf.transpose(matrix) : matrix, tf.maximum(norm, 1e-7)) as tf.Tensor2D;
  for (let i = 0; i < iterations; i++) {
    const gram = tf.matMul(x, x, false, true);
    const polynomial = tf.add(tf.mul(gram, b), tf.mul(tf.matMul(gram, gram), c)) as tf.Tensor2D;
    x = tf.add(tf.mul(x, a), tf.matMul(polynomial, x)) as tf.Tensor2D;
  }
  return isTall ? tf.transpose(x) : x;
}
