import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { compile } from '../function/index.js';
import { setNoticeHandler } from '../notice.js';
import { AdamWeightDecay, clipByGlobalNorm, ExponentialMovingAverage, minimizeUsingExplicitAllreduce, SGD } from './index.js';
import type { GradientTransformer } from './index.js';

afterEach(() => {
  tf.disposeVariables();
  setNoticeHandler();
});

const scaled =
  (factor: number): GradientTransformer =>
  (pairs) =>
    pairs.map(([g, v]) => [tf.mul(g, factor), v]);
const shifted: GradientTransformer = (pairs) => pairs.map(([g, v]) => [tf.add(g, 1), v]);

describe('an update with an explicit sum over replicas', () => {
  it('applies what comes before the sum, then what comes after it, in order, eagerly and compiled', async () => {
    for (const compiled of [false, true]) {
      const x = tf.variable(tf.tensor1d([3, 4]));
      const sgd = new SGD({ learningRate: 1 });
      const options = { variables: [x], preAllreduceCallbacks: [clipByGlobalNorm(1), shifted], postAllreduceCallbacks: [shifted, scaled(10)] }; // prettier-ignore
      const update = () => minimizeUsingExplicitAllreduce(sgd, () => tf.mul(tf.sum(tf.square(x)), 0.5) as tf.Scalar, options);
      const loss = compiled ? await compile(update)() : update();
      expect(loss.dataSync()[0]).toBe(12.5);
      expect(x.dataSync()[0]).toBeCloseTo(3 - 10 * (0.6 + 2), 5);
      expect(x.dataSync()[1]).toBeCloseTo(4 - 10 * (0.8 + 2), 5);
      expect(sgd.iterations.dataSync()[0]).toBe(1);
    }
  });

  it('leaves out the optimizer’s own sum and its clipping per replica, also under averaging', () => {
    const x = tf.variable(tf.scalar(1), true, 'x');
    const adamw = new AdamWeightDecay({ gradientClipNorm: 1 });
    let sums = 0;
    adamw.allReduce = (pairs) => ((sums += 1), pairs);
    const ema = new ExponentialMovingAverage(adamw);
    ema.shadowCopy([x]);
    minimizeUsingExplicitAllreduce(ema, () => tf.mul(x, 30) as tf.Scalar, { variables: [x] });
    expect(sums).toBe(0);
    expect(adamw.variables()['scaled_m/x']!.dataSync()[0]).toBe(30);
    adamw.minimize(() => tf.mul(x, 30) as tf.Scalar, false, [x]);
    expect(sums).toBe(1);
    expect(adamw.variables()['scaled_m/x']!.dataSync()[0]).toBeCloseTo(30 * 0.9 + 1, 4);
  });

  it('tells variables without a gradient, and refuses an update without any', () => {
    const lines: string[] = [];
    setNoticeHandler((line) => void lines.push(line));
    const [x, y] = [tf.variable(tf.scalar(1), true, 'x'), tf.variable(tf.scalar(1), true, 'y')];
    const loss = () => tf.square(x) as tf.Scalar;
    minimizeUsingExplicitAllreduce(new SGD(), loss, { variables: [x, y] });
    expect(lines).toEqual(['SGD: no gradient for y; these variables stay as they are.']);
    expect(() => minimizeUsingExplicitAllreduce(new SGD(), loss, { variables: [y] })).toThrow(UsageError);
    expect(() => minimizeUsingExplicitAllreduce(new SGD(), loss, { variables: [x], preAllreduceCallbacks: [() => []] })).toThrow(/must return one/); // prettier-ignore
  });
});
