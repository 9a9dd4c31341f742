import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { compile } from '../function/index.js';
import {
  Adam,
  AdamWeightDecay,
  type LearningRateMultiplier,
  optimizationConfig,
  OptimizerFactory,
  registerOptimizer,
  SGD,
} from './index.js';

afterEach(() => tf.disposeVariables());

const backbone: LearningRateMultiplier = { pattern: '^backbone/', multiplier: 0.1 };
const paths = ['backbone/embedding/table', 'backbone/dense/kernel', 'head/kernel'];
/** All types that a config can build. */
const types = Object.keys(optimizationConfig().optimizer).filter((type) => type !== 'type' && type !== 'slide');

function build(type: string, rate: number, multipliers: LearningRateMultiplier[] = []) {
  const config = optimizationConfig({
    optimizer: { type },
    learning_rate: { type: 'constant', constant: { learning_rate: rate } },
    learning_rate_multipliers: multipliers,
  } as Parameters<typeof optimizationConfig>[0]);
  const factory = new OptimizerFactory(config);
  const optimizer = factory.buildOptimizer(factory.buildLearningRate());
  const variables = paths.map(() => tf.variable(tf.tensor2d([1, -2, 3, 0.5], [2, 2])));
  optimizer.setVariablePaths(new Map(variables.map((v, i) => [v, paths[i]!])));
  const step = (g: tf.Tensor) => optimizer.applyGradients(variables.map((v) => [g, v]));
  return { optimizer, variables, step };
}

const gradients = () => [tf.tensor2d([0.3, -0.1, 0.2, 0.4], [2, 2]), tf.tensor2d([-0.5, 0.2, 0.1, 0.3], [2, 2])];

describe('a variable with a multiplier moves as if the learning rate were multiplied', () => {
  // The limits of clipping are of all gradients together, so the gradients stay below them.
  it.each(types)('%s, eagerly and compiled', async (type) => {
    const multipliers = [{ pattern: 'embedding', multiplier: 0.5 }, backbone];
    const [eager, compiled] = [build(type, 0.01, multipliers), build(type, 0.01, multipliers)];
    const alone = [0.005, 0.001, 0.01].map((rate) => build(type, rate));
    const step = compile(compiled.step);
    for (const gradient of gradients()) {
      for (const { step } of [eager, ...alone]) step(gradient);
      await step(gradient);
    }
    for (const { variables } of [eager, compiled])
      variables.forEach((v, i) => v.dataSync().forEach((x, j) => expect(x).toBeCloseTo(alone[i]!.variables[i]!.dataSync()[j]!, 5)));
    step.dispose();
  });

  it('and its weight decay with it', () => {
    const options = { learningRate: 0.1, weightDecayRate: 0.5, learningRateMultipliers: [backbone] };
    const adamw = new AdamWeightDecay(options);
    const [x, y] = [tf.variable(tf.scalar(2)), tf.variable(tf.scalar(2))];
    adamw.setVariablePaths(new Map([[x, 'backbone/x'], [y, 'head/y']])); // prettier-ignore
    adamw.applyGradients([[tf.scalar(0), x], [tf.scalar(0), y]]); // prettier-ignore
    expect(x.dataSync()[0]).toBeCloseTo(2 * (1 - 0.01 * 0.5), 6);
    expect(y.dataSync()[0]).toBeCloseTo(2 * (1 - 0.1 * 0.5), 6);
  });

  it('stays as it is with a multiplier of 0, whatever its momentum', () => {
    const { variables, step } = build('adamw', 0.1, [{ pattern: '^backbone/', multiplier: 0 }]);
    for (const gradient of gradients()) step(gradient);
    expect([...variables[0]!.dataSync()]).toEqual([1, -2, 3, 0.5]);
    expect([...variables[2]!.dataSync()]).not.toEqual([1, -2, 3, 0.5]);
  });

  it('also when the learning rate is assigned between compiled steps', async () => {
    const sgd = new SGD({ learningRate: 1, learningRateMultipliers: [{ pattern: 'x', multiplier: 0.5 }] });
    const x = tf.variable(tf.scalar(0));
    sgd.setVariablePaths(new Map([[x, 'x']]));
    const step = compile((g: tf.Scalar) => sgd.applyGradients([[g, x]]));
    await step(tf.scalar(1));
    sgd.learningRate = 0.25;
    await step(tf.scalar(1));
    expect(x.dataSync()[0]).toBe(-0.625);
    expect(step.traceCount).toBe(1);
    step.dispose();
  });
});

describe('multipliers that cannot be meant', () => {
  it('are refused: a pattern that no variable has, a wrong pattern, a wrong number', () => {
    expect(() => build('adam', 0.1, [{ pattern: 'bakcbone', multiplier: 0.1 }])).toThrow(
      /"bakcbone" of learning_rate_multipliers is found in no variable\. Variables: backbone\/embedding\/table, /,
    );
    const adam = (multiplier: LearningRateMultiplier) => () => new Adam({ learningRateMultipliers: [multiplier] });
    expect(adam({ pattern: '(', multiplier: 1 })).toThrow(/is not a regular expression/);
    expect(adam({ pattern: '', multiplier: 1 })).toThrow(/must be a text to search in names of variables/);
    expect(adam({ pattern: 'x', multiplier: -1 })).toThrow(/multiplier must be a number in \[0, Infinity\], but is -1/);
    expect(adam({ pattern: 'x', multiplier: NaN })).toThrow(ConfigError);
  });

  it('are refused for a registered optimizer that ignores them', () => {
    registerOptimizer('deaf', (_, { learningRate }) => new SGD({ learningRate }));
    const factory = new OptimizerFactory({
      optimizer: { type: 'deaf' },
      learning_rate: { type: 'constant' },
      learning_rate_multipliers: [backbone],
    });
    expect(() => factory.buildOptimizer(0.1)).toThrow(/"deaf" does not take learning_rate_multipliers/);
    registerOptimizer('listening', (_, common) => new SGD(common));
    expect(new OptimizerFactory({ optimizer: { type: 'listening' }, learning_rate: { type: 'constant' }, learning_rate_multipliers: [backbone] }).buildOptimizer(0.1).learningRateMultipliers).toEqual([backbone]); // prettier-ignore
  });
});
