import * as tf from '#tf';
import { commonDefaults, type Family, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';

/** Options of `Adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** What the sum of squares starts with. Default 0.1. */
  initialAccumulatorValue: number;
  /** ε. Default 1e-7. */
  epsilon: number;
}

/**
 * Adagrad (Duchi, Hazan and Singer, 2011).
 *
 * a ← a + g²;  θ ← θ − η·g/(√a + ε), in the new family θ ← θ − η·g/√(a + ε). Slot `accumulator` holds a.
 */
export class Adagrad extends RuleOptimizer {
  constructor(options: Given<AdagradOptions> = {}, family: Family = 'legacy') {
    const o = readOptions<AdagradOptions>(
      options,
      { ...commonDefaults('Adagrad'), initialAccumulatorValue: 0.1, epsilon: 1e-7 },
      'Adagrad',
    );
    const initial = requireNumber(o.initialAccumulatorValue, 'initial_accumulator_value', o.name, 0);
    super({ ...composed(o, family), rule: adagradRule(initial, requireNumber(o.epsilon, 'epsilon', o.name, 0), family) });
  }
}

/** The update rule of `Adagrad`. */
export function adagradRule(initial: number, epsilon: number, family: Family): UpdateRule {
  return {
    slots: () => ({ accumulator: { fill: initial } }),
    step: (learningRate) => learningRate,
    update(parameter, gradient, slots, learningRate): Updated {
      const sum = tf.add(slots.accumulator!, tf.mul(gradient, gradient));
      const root = family === 'new' ? tf.sqrt(tf.add(sum, epsilon)) : tf.add(tf.sqrt(sum), epsilon);
      return { parameter: tf.sub(parameter, tf.div(tf.mul(gradient, learningRate), root)), slots: { accumulator: sum } };
    },
  };
}
