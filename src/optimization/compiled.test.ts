import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { ExponentialMovingAverage, type Optimizer, OptimizerFactory } from './index.js';

interface Data {
  variables: { name: string; shape: number[]; initial: number[] }[];
  gradients: number[][][];
}
interface Case {
  name: string;
  config: { use_legacy_optimizer?: boolean };
  inputs: { data: string };
  expected: { after?: number[][][] };
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

type Named = Readonly<Record<string, tf.Variable>>;

function named(variables: tf.Variable[]): Named {
  return Object.fromEntries(variables.map((v, i) => [`variable ${i}`, v]));
}

function make({ config, inputs }: Case, average: boolean) {
  const { use_legacy_optimizer: useLegacyOptimizer, ...optimization } = config;
  const data = fixture.data[inputs.data]!;
  const factory = new OptimizerFactory({ ...optimization, ema: average ? {} : null });
  const optimizer: Optimizer = factory.buildOptimizer(factory.buildLearningRate(), { useLegacyOptimizer });
  const variables = data.variables.map((v) => tf.variable(tf.tensor(v.initial, v.shape)));
  optimizer.setVariablePaths(new Map(variables.map((v, i) => [v, data.variables[i]!.name])));
  if (optimizer instanceof ExponentialMovingAverage) optimizer.shadowCopy(variables);
  const update = (...gradients: tf.Tensor[]): void => optimizer.applyGradients(variables.map((v, i) => [gradients[i]!, v]));
  const feeds = data.gradients.map((all) => all.map((g, i) => tf.tensor(g, data.variables[i]!.shape)));
  return { optimizer, variables, update, feeds };
}

/** Eager and compiled updates round differently, by about one unit in the last place of a value per update. */
function expectAgreement(actual: Named, expected: Named): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [path, variable] of Object.entries(actual)) {
    const [a, b] = [variable.dataSync(), expected[path]!.dataSync()];
    a.forEach((x, i) => expect(Math.abs(x - b[i]!), path).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(b[i]!))));
  }
}

describe('a compiled update gives the recorded numbers and those of the eager one', () => {
  const cases = fixture.cases.filter((c) => c.expected.after);
  for (const kase of cases) {
    it(kase.name, async () => {
      const [eager, compiled] = [make(kase, false), make(kase, false)];
      const step = compile(compiled.update);
      for (let i = 0; i < 8; i++) {
        eager.update(...eager.feeds[i]!);
        await step(...compiled.feeds[i]!);
        compiled.variables.forEach((v, j) =>
          v.dataSync().forEach((x, k) => {
            const difference = Math.abs(x - kase.expected.after![i]![j]![k]!);
            expect(difference, `update ${i}, variable ${j}, as recorded`).toBeLessThanOrEqual(5e-6);
          }),
        );
      }
      expect(step.traceCount).toBe(1);
      expectAgreement(
        { ...compiled.optimizer.variables(), ...named(compiled.variables) },
        { ...eager.optimizer.variables(), ...named(eager.variables) },
      );
      step.dispose();
    });
  }

  it('with weight averaging, swapped and swapped back between steps', async () => {
    const kase = fixture.cases.find((c) => c.name === 'adamw_exclude')!;
    const [eager, compiled] = [make(kase, true), make(kase, true)];
    const step = compile(compiled.update);
    for (let i = 0; i < 8; i++) {
      eager.update(...eager.feeds[i]!);
      await step(...compiled.feeds[i]!);
      for (const { optimizer } of [eager, compiled]) (optimizer as ExponentialMovingAverage).swapWeights();
      expectAgreement(named(compiled.variables), named(eager.variables));
      for (const { optimizer } of [eager, compiled]) (optimizer as ExponentialMovingAverage).swapWeights();
    }
    expectAgreement(compiled.optimizer.variables(), eager.optimizer.variables());
    step.dispose();
  });

  it('and sees a learning rate that was assigned between steps, without tracing again', async () => {
    const { optimizer, variables, update, feeds } = make(
      fixture.cases.find((c) => c.name === 'sgd')!,
      false,
    );
    const step = compile(update);
    await step(...feeds[0]!);
    const before = variables[1]!.dataSync().slice();
    optimizer.learningRate = 0;
    await step(...feeds[1]!);
    expect(variables[1]!.dataSync()).toEqual(before);
    expect(step.traceCount).toBe(1);
    step.dispose();
  });
});
