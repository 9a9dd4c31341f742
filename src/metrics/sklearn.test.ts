/** Metrics against scikit-learn: on recorded examples, and on fresh ones where a Python with scikit-learn is found. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { ConfusionMatrix, createMetric } from './index.js';

interface Case {
  class: string;
  args: Record<string, unknown>;
  inputs: string;
  weighted: boolean;
  expected: number;
}
interface Recorded {
  data: {
    classes: number[];
    scores: number[][];
    binary: number[];
    chance: number[];
    numbers: number[];
    guesses: number[];
    weights: number[];
  };
  confusion: number[][];
  average_precision: number;
  cases: Case[];
}
const fixture = (name: string): string => fileURLToPath(new URL(`../../tests/fixtures/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(fixture('sklearn-metrics.json'), 'utf8')) as Recorded;
/** The examples in batches of 24, 24 and 12, as the state is streamed. */
const batches = [0, 24, 48].map((start) => [start, Math.min(start + 24, 60)] as const);

afterEach(() => tf.disposeVariables());

/** Labels and predictions of a case. */
function inputsOf(
  { classes, scores, binary, chance, numbers, guesses }: Recorded['data'],
  key: string,
): [number[] | number[][], number[] | number[][]] {
  switch (key) {
    case 'sparse':
      return [classes, scores];
    case 'one_hot':
      return [classes.map((c) => scores[0]!.map((_, i) => (i === c ? 1 : 0))), scores];
    case 'binary':
      return [binary, chance];
    case 'hard':
      return [classes, scores.map((row) => row.indexOf(Math.max(...row)))];
    default:
      return [numbers, guesses];
  }
}

/** Feeds batch after batch. */
function eachBatch({ inputs, weighted }: Case, data: Recorded['data'], update: (...args: tf.Tensor[]) => void): void {
  const [labels, predictions] = inputsOf(data, inputs);
  for (const [start, end] of batches) {
    const [l, p, w] = [labels, predictions, data.weights].map((all) => tf.tensor(all.slice(start, end)));
    update(l!, p!, ...(weighted ? [w!] : []));
  }
}

function eagerResult(one: Case, data: Recorded['data']): number {
  const metric = createMetric(one.class, one.args);
  eachBatch(one, data, (l, p, w) => metric.updateState(l!, p, w));
  return metric.result();
}

function compiledResult(one: Case, data: Recorded['data']): number {
  const metric = createMetric(one.class, one.args);
  const step = compile((l: tf.Tensor, p: tf.Tensor, w?: tf.Tensor) => metric.updateState(l, p, w));
  eachBatch(one, data, (l, p, ...w) => step.runSync(l!, p!, ...w));
  step.dispose();
  return metric.result();
}

function expectNear(found: number, expected: number, what: string): void {
  expect(Math.abs(found - expected), `${what}: ${found}, expected ${expected}`).toBeLessThanOrEqual(1e-6 + 2e-5 * Math.abs(expected));
}

function expectConfusion({ data, confusion }: Recorded): void {
  const metric = new ConfusionMatrix({ numClasses: data.scores[0]!.length });
  metric.updateState(tf.tensor(data.classes), tf.tensor(data.scores), tf.tensor(data.weights));
  metric.matrix().forEach((row, i) => row.forEach((x, j) => expect(x).toBeCloseTo(confusion[i]![j]!, 4)));
}

function expectAveragePrecision({ data, average_precision }: Recorded): void {
  const metric = createMetric('AUC', { curve: 'PR', num_thresholds: 1001 });
  metric.updateState(tf.tensor(data.binary), tf.tensor(data.chance));
  expect(Math.abs(metric.result() - average_precision)).toBeLessThan(0.02);
}

describe('metrics of batches are those of scikit-learn for all examples, eagerly and compiled', () => {
  it.each(recorded.cases)('$class $args of $inputs, weighted: $weighted', (recordedCase) => {
    for (const result of [eagerResult, compiledResult]) expectNear(result(recordedCase, recorded.data), recordedCase.expected, result.name);
  });

  it('the weighted confusion matrix', () => expectConfusion(recorded));

  it('the area under the precision-recall curve, whose interpolation lies near the average precision', () =>
    expectAveragePrecision(recorded));
});

/** A Python with scikit-learn: that of ORBIT_PYTHON, else the one on the path. */
const python = [process.env['ORBIT_PYTHON'], 'python3', 'python'].find(
  (p) =>
    p !== undefined &&
    p !== '' &&
    spawnSync(p, ['-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("sklearn") is None)']).status === 0,
);

describe('metrics of examples that nobody has seen are those of scikit-learn', () => {
  it.skipIf(python === undefined).each([11, 12])(
    'with the seed %i (needs a Python with scikit-learn: ORBIT_PYTHON, or python3 on the path)',
    (seed) => {
      const run = spawnSync(python!, [fixture('generate-sklearn-metrics.py'), '--seed', String(seed)], { encoding: 'utf8' });
      expect(run.stderr).toBe('');
      const fresh = JSON.parse(run.stdout) as Recorded;
      expect(fresh.data.classes).not.toEqual(recorded.data.classes);
      expect(fresh.cases).toHaveLength(recorded.cases.length);
      for (const one of fresh.cases) expectNear(eagerResult(one, fresh.data), one.expected, `${one.class} ${JSON.stringify(one.args)}`);
      expectConfusion(fresh);
      expectAveragePrecision(fresh);
    },
    120_000,
  );
});
