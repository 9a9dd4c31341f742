import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../../errors.js';
import { compile } from '../index.js';
import { layerAliases, layerCases, noLayers, type LayerCase } from './cases.testing.js';
import { agreeWithEager, input, variablesOf } from './step.testing.js';

/** randomWidth draws the shape of its output; categoryEncoding reads its input to check it. */
const VALUE_DEPENDENT = new Set(['randomWidth', 'categoryEncoding']);

/** Outputs in training and inference mode, and the gradients by weights and inputs. */
function forwardAndBackward(layer: tf.layers.Layer, c: LayerCase): (...xs: tf.Tensor[]) => tf.Tensor[] {
  const apply = (xs: tf.Tensor[], training: boolean): tf.Tensor => {
    const y = layer.apply(xs.length === 1 ? xs[0]! : xs, { training }) as tf.Tensor | tf.Tensor[];
    return Array.isArray(y) ? tf.concat(y) : y;
  };
  const loss = (xs: tf.Tensor[], training: boolean): tf.Scalar => {
    const y = apply(xs, training).cast('float32');
    return y.mul(y.add(0.3)).mean() as tf.Scalar;
  };
  return (...xs) => {
    const weights = variablesOf(layer);
    const results: tf.Tensor[] = [];
    for (const training of [true, false]) {
      results.push(apply(xs, training));
      if (c.noGradient !== undefined) continue;
      if (c.whole === undefined) results.push(...tf.grads((...args: tf.Tensor[]) => loss(args, training))(xs));
      if (weights.length > 0) {
        const { value, grads } = tf.variableGrads(() => loss(xs, training), weights);
        results.push(value, ...weights.map((w) => grads[w.name]!));
      }
    }
    return results;
  };
}

describe('the layers of tf.layers', () => {
  it('have a case each', () => {
    const cased = [...Object.keys(layerCases), ...Object.keys(layerAliases), ...noLayers];
    expect(cased.sort()).toEqual(Object.keys(tf.layers).sort());
    expect(Object.values(layerAliases).filter((name) => layerCases[name] === undefined)).toEqual([]);
  });

  for (const [name, c] of Object.entries(layerCases)) {
    if (VALUE_DEPENDENT.has(name)) continue;
    it(`${name}: forward and backward, in training and inference, as eager tfjs`, () => {
      tf.tidy(() => {
        const xs = c.inputs.map((shape) => input(shape, c.whole, c.range));
        const layer = c.layer();
        layer.apply(xs.length === 1 ? xs[0]! : xs); // makes its weights
        agreeWithEager(layer, forwardAndBackward(layer, c), xs);
      });
    });
  }

  it('that read values while they are traced are refused', () => {
    for (const name of VALUE_DEPENDENT) {
      const { layer, inputs, whole } = layerCases[name]!;
      const made = layer();
      const step = compile((x: tf.Tensor) => made.apply(x, { training: true }) as tf.Tensor);
      expect(() => step.runSync(input(inputs[0]!, whole))).toThrow(TraceError);
    }
  });
});
