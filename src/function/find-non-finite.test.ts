import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { compile } from './index.js';

const vector = (...values: number[]): tf.Tensor1D => tf.tensor1d(values);

describe('findNonFinite', () => {
  it('is null where all results are finite', () => {
    const step = compile((x: tf.Tensor1D) => tf.sum(tf.log(x)));
    expect(step.findNonFinite(vector(1, 2))).toBeNull();
  });

  it('names the operation that made the first bad value from good ones, with its line and the range of its inputs', () => {
    const step = compile((x: tf.Tensor1D) => tf.mean(tf.square(tf.log(x))));
    const found = step.findNonFinite(vector(1, -2, 0, 4))!;
    expect(found).toMatchObject({ source: 'operation', name: 'Log', shape: [4], nan: 1, infinite: 1 });
    expect(found.inputs).toEqual([{ name: 'x', shape: [4], min: -2, max: 4 }]);
    expect(found.line).toMatch(/find-non-finite\.test\.ts:\d+:\d+$/);
    expect(String(found)).toMatch(
      /^the result of Log.*: float32\[4\] with 1 NaN and 1 infinite of 4 values, from finite inputs \(x from -2 to 4\)$/,
    );
  });

  it('finds a gradient that is not finite though the loss is, by the value that a variable would get', () => {
    const w = tf.variable(tf.scalar(0), true, 'w_of_sqrt');
    const step = compile(() => {
      const { value, grads } = tf.variableGrads(() => tf.sqrt(tf.mul(w, 1)) as tf.Scalar, [w]);
      w.assign(tf.sub(w, grads['w_of_sqrt']!));
      return value;
    });
    const found = step.findNonFinite()!;
    expect(found.source).toBe('operation');
    expect(found.infinite).toBe(1);
    expect(w.dataSync()[0]).toBe(0); // nothing was assigned
    w.dispose();
  });

  it('passes over infinities that do no harm, such as those of a mask', () => {
    const step = compile((x: tf.Tensor1D, mask: tf.Tensor1D) => tf.softmax(tf.where(mask, x, tf.fill([3], -Infinity)) as tf.Tensor1D));
    expect(step.findNonFinite(vector(1, 2, 3), tf.tensor1d([1, 0, 1], 'bool') as never)).toBeNull();
    const spoilt = compile((x: tf.Tensor1D) => tf.softmax(tf.add(tf.fill([2], -Infinity), x) as tf.Tensor1D));
    expect(spoilt.findNonFinite(vector(1, 2))).not.toBeNull();
  });

  it('names an argument or a variable that was bad before the step', () => {
    const step = compile((x: tf.Tensor1D) => tf.sum(x));
    expect(String(step.findNonFinite(vector(1, NaN)))).toBe('argument 1 (of 1) of the step was float32[2] with 1 NaN of 2 values');
    const w = tf.variable(vector(1, Infinity), true, 'spoilt_w');
    const scaled = compile((x: tf.Tensor1D) => tf.mul(w, x));
    expect(String(scaled.findNonFinite(vector(1, 2)))).toBe(
      'the variable "spoilt_w" was float32[2] with 1 infinite of 2 values before the step',
    );
    w.dispose();
  });

  it('is refused where the function runs eagerly', () => {
    const step = compile((x: tf.Tensor1D) => tf.sum(x), { eager: true });
    expect(() => step.findNonFinite(vector(1))).toThrow(UsageError);
  });
});
