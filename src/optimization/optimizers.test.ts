import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as tf from '#tf';
import { CheckpointError, ConfigError, UsageError } from '../errors.js';
import { setNoticeHandler } from '../notice.js';
import {
  Adam,
  AdamWeightDecay,
  clipByGlobalNorm,
  type GradientTransformer,
  type Optimizer,
  OptimizerFactory,
  registerOptimizer,
  RuleOptimizer,
  SGD,
} from './index.js';
import type { Updated, UpdateRule } from './update-rule.js';

interface Data {
  variables: { name: string; shape: number[]; initial: number[] }[];
  gradients: number[][][];
}
interface Case {
  name: string;
  config: { use_legacy_optimizer?: boolean; optimizer?: { type: string } };
  inputs: { data: string };
  expected: { after?: number[][][]; error?: string };
}
interface Fixture {
  data: Record<string, Data>;
  cases: Case[];
}
function load(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`../../tests/fixtures/${name}.json`, import.meta.url), 'utf8')) as Fixture;
}
const [reference, torch] = [load('optimizers'), load('torch-optimizers')];
const fixture: Fixture = { data: { ...reference.data, ...torch.data }, cases: [...reference.cases, ...torch.cases] };

function build(config: Case['config']): Optimizer {
  const { use_legacy_optimizer, ...optimization } = config;
  const factory = new OptimizerFactory(optimization);
  // The reference's new family cannot have the field `decay`, so only a config that holds it is refused.
  return factory.buildOptimizer(factory.buildLearningRate(), { useLegacyOptimizer: use_legacy_optimizer ?? true });
}

function variablesOf(data: Data, optimizer: Optimizer): tf.Variable[] {
  const variables = data.variables.map((v) => tf.variable(tf.tensor(v.initial, v.shape)));
  optimizer.setVariablePaths(new Map(variables.map((v, i) => [v, data.variables[i]!.name])));
  return variables;
}

function apply(optimizer: Optimizer, variables: tf.Variable[], gradients: number[][]): void {
  tf.tidy(() => optimizer.applyGradients(variables.map((v, i) => [tf.tensor(gradients[i]!, v.shape), v])));
}

function largestDifference(variables: tf.Variable[], expected: number[][]): number {
  return Math.max(
    ...variables.flatMap((v, i) => [...v.dataSync()].map((x, j) => (Number.isNaN(x) ? Infinity : Math.abs(x - expected[i]![j]!)))),
  );
}

beforeEach(() => {
  tf.engine().startScope();
});
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

describe('after each update, variables are those recorded from the reference', () => {
  // The reference has only a placeholder for `adafactor`; here it is built.
  for (const { name, config, inputs, expected } of fixture.cases.filter((c) => c.name !== 'error_adafactor')) {
    it(name, () => {
      if (expected.error) {
        expect(() =>
          build(name === 'error_sgd_new_family' ? { ...config, optimizer: { type: 'sgd', sgd: { decay: 0 } } as never } : config),
        ).toThrow(ConfigError);
        return;
      }
      const data = fixture.data[inputs.data]!;
      const optimizer = build(config);
      const variables = variablesOf(data, optimizer);
      data.gradients.forEach((gradients, update) => {
        apply(optimizer, variables, gradients);
        expect(largestDifference(variables, expected.after![update]!), `update ${update}`).toBeLessThanOrEqual(5e-6);
      });
      expect(optimizer.iterations.dataSync()[0]).toBe(8);
    });
  }
});

const working = fixture.cases.filter((c) => !c.expected.error);

describe('every optimizer', () => {
  it('leaves no tensors behind over 20 eager updates', () => {
    for (const { name, config, inputs } of working) {
      const data = fixture.data[inputs.data]!;
      const optimizer = build(config);
      const variables = variablesOf(data, optimizer);
      apply(optimizer, variables, data.gradients[0]!);
      const before = tf.memory().numTensors;
      for (let i = 0; i < 20; i++) apply(optimizer, variables, data.gradients[i % 8]!);
      expect(tf.memory().numTensors, name).toBe(before);
    }
  });

  it('continues bit for bit after its state went through another instance, loaded before the slots exist', () => {
    for (const { name, config, inputs } of working) {
      const data = fixture.data[inputs.data]!;
      const [straight, early] = [build(config), build(config)];
      const [a, b] = [variablesOf(data, straight), variablesOf(data, early)];
      for (let i = 0; i < 8; i++) apply(straight, a, data.gradients[i]!);
      for (let i = 0; i < 4; i++) apply(early, b, data.gradients[i]!);
      const late = build(config);
      late.setVariablePaths(new Map(b.map((v, i) => [v, data.variables[i]!.name])));
      late.loadStateDict(early.stateDict());
      for (let i = 4; i < 8; i++) apply(late, b, data.gradients[i]!);
      expect(
        b.map((v) => v.dataSync()),
        name,
      ).toEqual(a.map((v) => v.dataSync()));
      expect(late.stateDict(), name).toEqual(straight.stateDict());
    }
  });
});

describe('the state of an optimizer', () => {
  const data = fixture.data.a!;

  it('is named by slot and object path', () => {
    const adam = new Adam();
    adam.build(variablesOf(data, adam));
    expect(Object.keys(adam.variables())).toEqual([
      'iterations',
      ...data.variables.flatMap(({ name }) => [`scaled_m/${name}`, `scaled_v/${name}`]),
    ]);
    expect(adam.iterations.dtype).toBe('int32');
    expect(adam.iterations.trainable).toBe(false);
  });

  it('is refused when it belongs to another optimizer or model, and nothing changes', () => {
    const [adam, sgd] = [new Adam(), new SGD({ momentum: 0.9 })];
    const variables = variablesOf(data, adam);
    sgd.setVariablePaths(new Map(variables.map((v, i) => [v, data.variables[i]!.name])));
    for (const optimizer of [adam, sgd]) optimizer.build(variables);
    expect(() => adam.loadStateDict(sgd.stateDict())).toThrow(CheckpointError);
    expect(() => adam.loadStateDict({ iterations: adam.stateDict().iterations })).toThrow(/lacks "scaled_m\/dense\/kernel"/);
    const bias = { dtype: 'float32', shape: [5], data: new Float32Array(5) } as const;
    const wrongShape = {
      ...adam.stateDict(),
      iterations: { dtype: 'int32', shape: [], data: Int32Array.of(7) },
      'scaled_m/dense/bias': bias,
    } as const;
    expect(() => adam.loadStateDict(wrongShape)).toThrow(/"scaled_m\/dense\/bias" is float32 \[5\], but float32 \[4\] is expected/);
    expect(adam.iterations.dataSync()[0]).toBe(0);
    const late = new Adam();
    late.loadStateDict({ iterations: adam.stateDict().iterations!, 'scaled_m/other': bias });
    expect(() => late.build([variables[0]!])).toThrow(/is missing, but float32/);
  });

  it('keeps Adam exact at a million steps', () => {
    const adam = new Adam({ learningRate: 0.01 });
    const x = tf.variable(tf.tensor1d([1, -2]));
    adam.build([x]);
    const g = [0.3, -0.7];
    // Moments after t steps of the same gradient g are g·(1 − β₁ᵗ) and g²·(1 − β₂ᵗ): each step moves by the learning rate.
    const state = adam.stateDict() as Record<string, { dtype: 'float32'; shape: number[]; data: Float32Array }>;
    for (const t of [10, 1000, 1_000_000]) {
      state.iterations = { dtype: 'int32' as 'float32', shape: [], data: Int32Array.of(t) as unknown as Float32Array };
      state[`scaled_m/${x.name}`]!.data.set(g.map((v) => (v * (1 - 0.9 ** t)) / 0.1));
      state[`scaled_v/${x.name}`]!.data.set(g.map((v) => (v * v * (1 - 0.999 ** t)) / 0.001));
      adam.loadStateDict(state);
      const before = [...x.dataSync()];
      tf.tidy(() => adam.applyGradients([[tf.tensor1d(g), x]]));
      [...x.dataSync()].forEach((value, i) => expect(before[i]! - value).toBeCloseTo(0.01 * Math.sign(g[i]!), 6));
    }
  });
});

describe('applyGradients', () => {
  it('leaves variables without gradient alone, and refuses an update without any', () => {
    const sgd = new SGD({ learningRate: 1 });
    const [x, y] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(2))];
    const warn = vi.fn();
    setNoticeHandler(warn);
    for (let i = 0; i < 2; i++)
      sgd.applyGradients([
        [tf.scalar(0.25), x],
        [null, y],
      ]);
    expect(warn).toHaveBeenCalledOnce();
    setNoticeHandler();
    expect([x.dataSync()[0], y.dataSync()[0]]).toEqual([0.5, 2]);
    expect(() => sgd.applyGradients([[null, x]])).toThrow(/got no gradient for any variable/);
    expect(() => sgd.applyGradients([[tf.zeros([2]), x]])).toThrow(/has shape \[2\], but the variable has \[\]/);
    expect(() =>
      sgd.applyGradients([
        [tf.scalar(1), x],
        [tf.scalar(1), x],
      ]),
    ).toThrow(/two gradients for one variable/);
    expect(() => sgd.applyGradients([[tf.scalar(1), tf.variable(tf.scalar(1, 'int32'))]])).toThrow(UsageError);
  });

  it('clips before the sum over replicas and transforms after it, in order', () => {
    const seen: string[] = [];
    const note =
      (name: string): GradientTransformer =>
      (pairs) => {
        seen.push(`${name} ${pairs.map(([g]) => g.dataSync()[0]!.toFixed(1)).join(' ')}`);
        return pairs.map(([g, v]) => [tf.mul(g, 2), v] as const);
      };
    const adamw = new AdamWeightDecay({ gradientTransformers: [note('first'), note('second')] });
    adamw.allReduce = note('sum');
    tf.tidy(() =>
      adamw.applyGradients([
        [tf.scalar(3), tf.variable(tf.scalar(1))],
        [tf.scalar(4), tf.variable(tf.scalar(1))],
      ]),
    );
    expect(seen).toEqual(['sum 0.6 0.8', 'first 1.2 1.6', 'second 2.4 3.2']);
  });

  it('turns all gradients into not-a-number when their global norm is not finite', () => {
    const x = tf.variable(tf.scalar(1));
    const pairs = clipByGlobalNorm(1)([
      [tf.scalar(Infinity), x],
      [tf.scalar(1), x],
    ]);
    expect(pairs.map(([g]) => g.dataSync()[0])).toEqual([NaN, NaN]);
  });

  it('sees a learning rate that was assigned between updates', () => {
    const sgd = new SGD({ learningRate: 1 });
    const x = tf.variable(tf.scalar(0));
    sgd.applyGradients([[tf.scalar(1), x]]);
    sgd.learningRate = 0.25;
    sgd.applyGradients([[tf.scalar(1), x]]);
    expect(x.dataSync()[0]).toBe(-1.25);
    expect(sgd.currentLearningRate()).toBe(0.25);
    expect(() => (sgd.learningRate = NaN)).toThrow(UsageError);
  });

  it('minimizes a loss', () => {
    const sgd = new SGD({ learningRate: 0.1 });
    const x = tf.variable(tf.scalar(3));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 50; i++) sgd.minimize(() => tf.square(tf.sub(x, 1)) as tf.Scalar)?.dispose();
    expect(x.dataSync()[0]).toBeCloseTo(1, 4);
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(1); // the learning rate's variable
  });
});

describe("a user's own rule", () => {
  const rule = (update: UpdateRule['update']): RuleOptimizer =>
    new RuleOptimizer({ name: 'Mine', learningRate: 0.5, rule: { slots: () => ({ m: { fill: 0 } }), step: (rate) => rate, update } });
  const apply = (optimizer: RuleOptimizer, x: tf.Variable): void => optimizer.applyGradients([[tf.ones(x.shape), x]]);

  it('is momentum, step by step', () => {
    const x = tf.variable(tf.tensor1d([1, 2]));
    const momentum = rule((parameter, gradient, slots, rate) => {
      const m = tf.add(tf.mul(slots['m']!, 0.5), gradient);
      return { parameter: tf.sub(parameter, tf.mul(rate, m)), slots: { m } };
    });
    for (let i = 0; i < 2; i++) apply(momentum, x);
    expect([...x.dataSync()]).toEqual([1 - 0.5 * (1 + 1.5), 2 - 0.5 * (1 + 1.5)]);
  });

  it('is refused where it returns other slots, other shapes or nothing', () => {
    const x = tf.variable(tf.tensor1d([1, 2]), true, 'refused');
    const returning = (updated: (p: tf.Tensor) => object) => () =>
      apply(
        rule((parameter) => updated(parameter) as Updated),
        x,
      );
    expect(returning((parameter) => ({ parameter, slots: { v: parameter } }))).toThrow('Mine, "refused": update returned a slot "v" that');
    expect(returning((parameter) => ({ parameter, slots: { m: tf.scalar(0) } }))).toThrow(
      'returned m of shape [], but it has the shape [2]',
    );
    expect(returning((parameter) => ({ parameter: tf.tile(parameter, [2]), slots: {} }))).toThrow('parameter of shape [4]');
    expect(returning((parameter) => ({ parameter }))).toThrow('update should return { parameter, slots }');
    expect(() => new SGD({ learningRate: { at: () => 1 } as never })).toThrow('but is an object with at.');
  });
});

describe('OptimizerFactory', () => {
  const factory = (optimizer: object) => new OptimizerFactory({ optimizer: optimizer as never, learning_rate: { type: 'constant' } });

  it.each([
    [{ type: 'adam', adam: { beta1: 0.9 } }, /Did you mean "beta_1"/],
    [{ type: 'adam', adam: { beta_3: 0.9 } }, /no option "beta3"/],
    [{ type: 'adam', adam: { beta_1: 1 } }, /beta_1 must be a number in/],
    [{ type: 'adm' }, /Did you mean "adam"/],
    [{ type: 'sgd', sgd: { clipnorm: -1 } }, /clipnorm must be a number that is not negative/],
    [{ type: 'adamw', adamw: { exclude_from_weight_decay: ['('] } }, /is not a regular expression/],
    [{ type: 'adamw', adamw: { exclude_from_weight_decay: 'bias' } }, /must be a list of patterns: \["bias"\]/],
    [{ type: 'slide' }, /placeholder/],
  ])('says what is wrong with %j', (optimizer, message) => {
    expect(() => factory(optimizer).buildOptimizer(0.1)).toThrow(message);
    expect(() => factory(optimizer).buildOptimizer(0.1)).toThrow(ConfigError);
  });

  it('refuses clipping together with gradient transformers, and a postprocessor that returns nothing', () => {
    const transformers = { gradientTransformers: [clipByGlobalNorm(1)] };
    expect(() => factory({ type: 'sgd', sgd: { clipnorm: 1 } }).buildOptimizer(0.1, transformers)).toThrow(ConfigError);
    expect(() => factory({ type: 'adam' }).buildOptimizer(0.1, { ...transformers, useLegacyOptimizer: false })).toThrow(ConfigError);
    expect(() => factory({ type: 'sgd' }).buildOptimizer(0.1, { postprocessor: () => null as never })).toThrow(UsageError);
  });

  it('clips nothing with gradient_clip_norm null or 0 in a config', () => {
    for (const gradient_clip_norm of [null, 0]) {
      const adamw = factory({ type: 'adamw', adamw: { gradient_clip_norm } }).buildOptimizer(0.1);
      const x = tf.variable(tf.scalar(1), true, `clipped_${gradient_clip_norm}`);
      adamw.applyGradients([[tf.scalar(30), x]]);
      expect(adamw.variables()[`scaled_m/${x.name}`]!.dataSync()[0]).toBe(30);
    }
  });

  it('builds registered types', () => {
    registerOptimizer('halving', (fields, { learningRate }) => new SGD({ name: String(fields.name), learningRate }));
    const optimizer = factory({ type: 'halving', halving: { name: 'Halving' } }).buildOptimizer(0.5);
    expect([optimizer.name, optimizer.learningRate]).toEqual(['Halving', 0.5]);
    expect(() => registerOptimizer('adam', () => optimizer)).toThrow(/"adam" is already registered/);
  });
});
