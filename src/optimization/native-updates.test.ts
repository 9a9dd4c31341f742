import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../function/index.js';
import { nativeLibrary } from '../function/runtime/native.js';
import { Session } from '../function/runtime/session.js';
import {
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  AdamWeightDecay,
  ExponentialMovingAverage,
  GradientAccumulation,
  LAMB,
  Lion,
  Nadam,
  type Optimizer,
  RMSprop,
  SGD,
} from './index.js';

const here = nativeLibrary(true)?.ops.has('FusedUpdates') === true;
/** Why the tests below are left out where they are. */
const reason = here ? '' : ' (no native kernels here)';

const optimizers: Record<string, () => Optimizer> = {
  sgd: () => new SGD({ learningRate: 0.1 }),
  momentum: () => new SGD({ learningRate: 0.1, momentum: 0.9 }),
  nesterov: () => new SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true, clipvalue: 0.5 }),
  adam: () => new Adam({ learningRate: 0.01 }),
  amsgrad: () => new Adam({ learningRate: 0.01, amsgrad: true, globalClipnorm: 0.5 }),
  adamw: () => new AdamW({ learningRate: 0.01, weightDecay: 0.1, clipnorm: 0.3 }),
  'adamw by patterns': () =>
    new AdamWeightDecay({ learningRate: 0.01, weightDecayRate: 0.1, excludeFromWeightDecay: ['excluded'], gradientClipNorm: 0.2 }),
  lamb: () => new LAMB({ learningRate: 0.01, weightDecayRate: 0.01 }),
  lion: () => new Lion({ learningRate: 0.01 }),
  adamax: () => new Adamax({ learningRate: 0.01 }),
  nadam: () => new Nadam({ learningRate: 0.01 }),
  adagrad: () => new Adagrad({ learningRate: 0.1 }),
  rmsprop: () => new RMSprop({ learningRate: 0.01, momentum: 0.9, centered: true }),
  'average of adam': () => new ExponentialMovingAverage(new Adam({ learningRate: 0.01 }), { averageDecay: 0.9 }),
  'tf.train.adam': () => ({ applyGradients: tf.train.adam(0.01) }) as unknown as Optimizer,
};

/** Variables with values that depend on their place and shape alone, and gradients for them. */
function problem(shapes: readonly number[][], name = 'v') {
  const values = (i: number, seed: number): tf.Tensor =>
    tf.randomNormal(shapes[i]!, 0, 1, 'float32', seed + shapes[i]!.join().length * 31 + i);
  const variables = shapes.map((_, i) => tf.variable(values(i, 1), true, undefined));
  const gradients = (step: number): tf.Tensor[] => shapes.map((_, i) => values(i, 100 * (step + 1)));
  const paths = new Map<unknown, string>(variables.map((v, i) => [v, `${name}/${i % 3 === 0 ? 'excluded' : 'kept'}_${i}`]));
  return { variables, gradients, paths };
}

/** An optimizer's update as a function of the gradients. */
function updateOf(
  make: () => Optimizer,
  { variables, paths }: ReturnType<typeof problem>,
): { apply: (...g: tf.Tensor[]) => void; all: () => tf.Variable[] } {
  const optimizer = make();
  if (typeof optimizer.applyGradients !== 'function') {
    const train = optimizer.applyGradients as unknown as tf.AdamOptimizer;
    return {
      apply: (...g) => train.applyGradients(variables.map((v, i) => ({ name: v.name, tensor: g[i]! }))),
      all: () => variables,
    };
  }
  optimizer.setVariablePaths(paths);
  if (optimizer instanceof ExponentialMovingAverage) optimizer.shadowCopy(variables);
  return {
    apply: (...g) => optimizer.applyGradients(variables.map((v, i) => [g[i]!, v])),
    all: () => [...variables, ...Object.values(optimizer.variables())],
  };
}

/** All state after some updates, and the ops that computed them. */
function trained(make: () => Optimizer, shapes: readonly number[][], how: 'eager' | 'portable' | 'native', steps = 3) {
  const given = problem(shapes);
  const { apply, all } = updateOf(make, given);
  const step = compile(apply, { eager: how === 'eager', nativeKernels: how === 'native' });
  for (let k = 0; k < steps; k++) step.runSync(...given.gradients(k));
  const ops = how === 'native' ? step.profile(...given.gradients(0)).rows.map((r) => r.op) : [];
  const state = all().map((v) => v.dataSync().slice() as Float32Array);
  if (how !== 'eager') step.dispose();
  return { state, ops };
}

function close(got: readonly Float32Array[], expected: readonly Float32Array[], what: string): void {
  got.forEach((x, k) => {
    const wanted = expected[k]!;
    const largest = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
    const off = x.findIndex((v, i) => !(Math.abs(v - wanted[i]!) <= 2e-5 * largest));
    if (off >= 0) expect.fail(`${what}: state ${k}, element ${off} is ${x[off]}, not ${wanted[off]}`);
  });
}

const shape: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  fc.constantFrom<number[]>([7], [8], [9], [65, 9], [1024], [70, 61]),
);

describe.skipIf(!here)(`updates of all variables in one native call${reason}`, () => {
  it.each(Object.keys(optimizers))('give the numbers of eager and portable updates: %s', (name) => {
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 4 }), (others) => {
        const shapes = [[31, 33], ...others, [31, 33]];
        const native = trained(optimizers[name]!, shapes, 'native');
        expect(native.ops.join()).toMatch(/FusedUpdates/);
        close(native.state, trained(optimizers[name]!, shapes, 'portable').state, `${name}, portable`);
        close(native.state, trained(optimizers[name]!, shapes, 'eager').state, `${name}, eager`);
      }),
      { numRuns: 1 },
    );
  });

  it('are one call for many variables of one form', () => {
    const given = problem(Array.from({ length: 24 }, (_, i) => [i + 2, 40]));
    const { apply } = updateOf(optimizers['adam']!, given);
    const rows = compile(apply).profile(...given.gradients(0)).rows;
    expect(rows.find((r) => r.op === 'FusedUpdates')).toMatchObject({ kernel: 'orbit.FusedUpdates', nodes: 1 });
  });

  it('give a variable the same bits in any company, and each time', () => {
    const shapes = [[33, 65], [7], [200, 40]];
    const together = trained(optimizers['adam']!, shapes, 'native').state;
    // The same variables, then others before and between them.
    const more = [[33, 65], [7], [200, 40], [5, 5], [70, 101]];
    const other = trained(optimizers['adam']!, more, 'native').state;
    expect(other.slice(0, 3)).toEqual(together.slice(0, 3));
    expect(trained(optimizers['adam']!, more, 'native').state).toEqual(other);
  });

  it('follow the closed form of Adam for 300 updates', () => {
    const [beta1, beta2, epsilon, rate] = [0.9, 0.999, 1e-7, 0.01];
    const variables = [tf.variable(tf.linspace(-1, 1, 19)), tf.variable(tf.linspace(1, 2, 8))];
    const optimizer = new Adam({ learningRate: rate });
    // Gradients of Σ θ²/2 + θ.
    const step = compile(() => optimizer.applyGradients(variables.map((v) => [v.add(1), v])));
    const exact = variables.map((v) => [...v.dataSync()].map((theta) => ({ theta, m: 0, v: 0 })));
    for (let t = 1; t <= 300; t++) {
      step.runSync();
      for (const x of exact.flat()) {
        const g = x.theta + 1;
        x.m = beta1 * x.m + (1 - beta1) * g;
        x.v = beta2 * x.v + (1 - beta2) * g * g;
        x.theta -= (((rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)) * x.m) / (Math.sqrt(x.v) + epsilon);
      }
    }
    variables.forEach((v, k) => v.dataSync().forEach((theta, i) => expect(Math.abs(theta - exact[k]![i]!.theta)).toBeLessThan(2e-5)));
  });

  it('leave clones, and variables that only other functions assign, alone', () => {
    const given = problem([[64, 65], [64, 65], [9]]);
    const { apply } = updateOf(optimizers['momentum']!, given);
    const step = compile(apply);
    step.runSync(...given.gradients(0));
    const [clone, reshaped] = [given.variables[0]!.clone(), given.variables[1]!.reshape([-1])];
    const before = [clone, reshaped].map((x) => x.dataSync().slice());
    step.runSync(...given.gradients(1));
    step.runSync(...given.gradients(2));
    expect([clone, reshaped].map((x) => x.dataSync())).toEqual(before);
  });

  it('keep the order of updates that read what an equal one gives', () => {
    const start = [1, 2, 3].map((x) => tf.fill([70, 100], x));
    const chain = (vs: tf.Variable[], x: tf.Scalar): void => {
      let add: tf.Tensor = x;
      for (const v of vs) {
        v.assign(v.mul(0.5).add(add).sub(0.25));
        add = v.mean();
      }
    };
    const run = (nativeKernels: boolean): number[] => {
      const vs = start.map((x) => tf.variable(x));
      const step = compile((x: tf.Scalar) => chain(vs, x), { nativeKernels });
      step.runSync(tf.scalar(1));
      return vs.map((v) => v.dataSync()[4321]!);
    };
    // 0.5 + 1 − 0.25, then 1 + 1.25 − 0.25, then 1.5 + 2 − 0.25
    expect(run(true)).toEqual([1.25, 2, 3.25]);
    expect(run(false)).toEqual([1.25, 2, 3.25]);
  });

  it('accumulate gradients and update at the last batch', () => {
    const start = [tf.ones([40, 50]), tf.ones([60])];
    const run = (nativeKernels: boolean): Float32Array[] => {
      const variables = start.map((x) => tf.variable(x));
      const accumulation = new GradientAccumulation(new Adam({ learningRate: 0.1 }));
      accumulation.build(variables);
      const part = (phase: 'first' | 'last') => (x: tf.Scalar) => {
        accumulation.begin(phase, 2);
        accumulation.applyGradients(variables.map((v) => [v.mul(x), v]));
      };
      const steps = [compile(part('first'), { nativeKernels }), compile(part('last'), { nativeKernels })];
      for (const k of [0, 1, 0, 1]) steps[k]!.runSync(tf.scalar(k + 0.5));
      return variables.map((v) => v.dataSync().slice() as Float32Array);
    };
    close(run(true), run(false), 'accumulated');
  });

  it('stay out of the portable model', () => {
    const given = problem([
      [64, 65],
      [64, 65],
    ]);
    const { apply } = updateOf(optimizers['adam']!, given);
    const text = Buffer.from(compile(apply).toOnnx(...given.gradients(0))).toString('latin1');
    expect(text).toMatch(/Sqrt/);
    expect(text).not.toMatch(/Fused(Updates)?\b/);
  });

  it('name the op, the node and the shapes where they do not fit', () => {
    const value = (name: string, shape: number[]) => ({ name, type: 'float32' as const, shape });
    const session = (attributes: object) =>
      new Session({
        name: 'wrong',
        inputs: [value('a', [4]), value('b', [3])],
        outputs: [value('x', [4]), value('y', [2])],
        initializers: [],
        nodes: [
          {
            op: 'FusedUpdates',
            domain: 'orbit',
            inputs: ['a', 'b'],
            outputs: ['x', 'y'],
            label: 'optimizer/FusedUpdates_1',
            attributes: {
              row: 0,
              inputs: [0, 1],
              shared: [0],
              constants: { floats: [2, 0] },
              program: [2, 0, 1, -1],
              outputs: [0, 2, 1],
              scales: { floats: [1] },
              sizes: [4, 2],
              shapes: [1, 4, 1, 2],
              bytes: 0,
              ...attributes,
            },
          },
        ],
      });
    expect(() => session({ sizes: [4, 3] })).toThrow(
      /orbit\.FusedUpdates: node optimizer\/FusedUpdates_1: an output of shape \[2\] cannot hold 3 numbers/,
    );
    expect(() => session({ sizes: [4] })).toThrow(/orbit\.FusedUpdates: node .*: variables and shapes do not fit/);
    expect(() => session({ program: [99, 0, 1, -1] })).toThrow(/orbit\.FusedUpdates: .*unknown instruction 99/);
  });
});
