import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { checkSupported } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { optimizationConfig, OptimizerFactory } from './index.js';

const unavailable = ['slide'];

/** All types that the config knows. */
const types = Object.keys(optimizationConfig().optimizer).filter((key) => key !== 'type');

function build(type: string) {
  const config = optimizationConfig({
    optimizer: { type },
    learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } },
  } as Parameters<typeof optimizationConfig>[0]);
  checkSupported(config);
  const factory = new OptimizerFactory(config);
  return factory.buildOptimizer(factory.buildLearningRate());
}

afterEach(() => tf.disposeVariables());

describe('a learning rate in a config', () => {
  it.each([
    ['constant', 'learning_rate'],
    ['exponential', 'initial_learning_rate'],
    ['polynomial', 'end_learning_rate'],
    ['one_cycle', 'max_learning_rate'],
  ])('%s.%s is not negative', (type, name) => {
    const config = { learning_rate: { type, [type]: { [name]: -0.1 } } } as Parameters<typeof optimizationConfig>[0];
    expect(() => optimizationConfig(config)).toThrow(new RegExp(`learning_rate.${type}.${name}.*-0.1`));
  });
});

describe('an optimizer named in a config', () => {
  it.each(types.filter((type) => !unavailable.includes(type)))(
    '%s is built from the defaults of its branch and makes a loss smaller',
    (type) => {
      const optimizer = build(type);
      const [matrix, bias] = [tf.variable(tf.ones([3, 4])), tf.variable(tf.ones([4]))];
      const loss = () => tf.add(tf.sum(tf.square(matrix)), tf.sum(tf.square(bias))) as tf.Scalar;
      for (let i = 0; i < 5; i++) optimizer.applyGradients([matrix, bias].map((v) => [tf.tidy(() => tf.mul(v, 2)), v]));
      expect(loss().dataSync()[0]).toBeLessThan(16);
    },
  );

  it.each(unavailable)('%s can be loaded, and is refused at the start of a run', (type) => {
    expect(() => build(type)).toThrow(ConfigError);
    expect(() => build(type)).toThrow(new RegExp(`optimizer\\.type=${type} is not supported`));
  });

  it('that does not exist is refused with the names of all that do, in a config and by the factory', () => {
    const wrong = { optimizer: { type: 'madgrad' }, learning_rate: { type: 'constant' } } as const;
    for (const make of [() => optimizationConfig(wrong as never), () => new OptimizerFactory(wrong)]) {
      expect(make).toThrow(ConfigError);
      for (const type of types) expect(make).toThrow(new RegExp(`"?\\b${type}\\b"?(,|\\.| or )`));
    }
  });
});
