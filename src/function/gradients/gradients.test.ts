import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../../errors.js';
import { compile } from '../index.js';
import { agree, gradients } from '../kernels/agree.testing.js';
import { gradientCases, type GradientCase } from './cases.testing.js';

/** Names of all gradients that tfjs registered. */
function registered(): string[] {
  const { _tfGlobals } = globalThis as unknown as { _tfGlobals: Map<string, Map<string, tf.GradConfig>> };
  return [..._tfGlobals.get('gradRegistry')!.keys()].sort();
}

const COMPLEX = new Set(['ComplexAbs']);

/** Runs `f` and tells whether the gradient of that kernel was asked for. */
function asks(kernel: string, f: () => void): boolean {
  const config = tf.getGradient(kernel);
  let asked = false;
  tf.unregisterGradient(kernel);
  tf.registerGradient({
    ...config,
    gradFunc: (...args) => {
      asked = true;
      return config.gradFunc(...args);
    },
  });
  try {
    f();
  } finally {
    tf.unregisterGradient(kernel);
    tf.registerGradient(config);
  }
  return asked;
}

/** Σ f(xs) · weights in double precision, with the weights of `gradients`. */
function weighted(f: GradientCase['f'], xs: readonly tf.Tensor[]): number {
  return Array.from(tf.tidy(() => f(...xs)).dataSync()).reduce((sum, y, i) => sum + y * (((i * 7) % 5) - 1.5), 0);
}

/** The derivative by element k of argument i: central differences of two widths, extrapolated to width 0. */
function difference({ f, inputs }: GradientCase, i: number, k: number): number {
  const at = (h: number): number => {
    const data = inputs[i]!.dataSync().slice() as Float32Array;
    data[k] = data[k]! + h;
    return weighted(
      f,
      inputs.map((x, j) => (j === i ? tf.tensor(data, x.shape) : x)),
    );
  };
  const central = (h: number): number => (at(h) - at(-h)) / (2 * h);
  return (4 * central(1 / 128) - central(1 / 64)) / 3;
}

/** Positions to differentiate at: all of a small tensor, some of a larger one. */
const some = (size: number): number[] => Array.from({ length: Math.min(size, 7) }, (_, i) => Math.floor((i * size) / Math.min(size, 7)));

describe('the gradients that tfjs registers', () => {
  it('have a case each', () => {
    expect(registered().length).toBeGreaterThan(100);
    expect(Object.keys(gradientCases).sort()).toEqual(registered());
  });

  for (const [kernel, make] of Object.entries(gradientCases)) {
    if (COMPLEX.has(kernel)) continue;
    it(`${kernel}: compiled, it is eager tfjs's${make().notSmooth === undefined ? ' and approached by finite differences' : ''}`, () => {
      tf.tidy(() => {
        const c = make();
        const asked = asks(kernel, () => agree({ value: c.f, gradient: gradients(c.f) }, ...c.inputs));
        expect(asked).toBe(true);
        if (c.notSmooth !== undefined) return;
        const exact = compile(gradients(c.f)).runSync(...(c.inputs as tf.Tensor[])) as tf.Tensor[];
        exact.forEach((g, i) => {
          const values = g.dataSync();
          const scale = Math.max(1, ...values.map(Math.abs));
          for (const k of some(values.length)) {
            expect(Math.abs(difference(c, i, k) - values[k]!) / scale, `by element ${k} of argument ${i}`).toBeLessThan(2e-3);
          }
        });
      });
    });
  }

  it('of complex numbers are refused by name', () => {
    tf.tidy(() => {
      const { f, inputs } = gradientCases['ComplexAbs']!();
      expect(() => compile(gradients(f)).runSync(...(inputs as tf.Tensor[]))).toThrow(TraceError);
      expect(() => compile(f).runSync(...(inputs as tf.Tensor[]))).toThrow(/Complex cannot be compiled: it works on complex numbers/);
    });
  });

  it('of tied maxima are those of eager tfjs', () => {
    tf.tidy(() => {
      const x = tf.tensor4d([2, 2, 1, 2, 0, 2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0], [1, 4, 4, 1]);
      agree(
        {
          max: gradients((v) => v!.max([1, 2])),
          min: gradients((v) => v!.min([1, 2])),
          pool: gradients((v) => tf.maxPool(v as tf.Tensor4D, 2, 2, 'same')),
          overlapping: gradients((v) => tf.maxPool(v as tf.Tensor4D, 3, 1, 'same')),
          after: gradients((v) => tf.maxPool(tf.relu(v!.sub(1)) as tf.Tensor4D, 2, 2, 'valid')),
          volume: gradients((v) => tf.maxPool3d(v!.reshape([1, 4, 2, 2, 1]) as tf.Tensor5D, 2, 1, 'same')),
          maximum: gradients((v) => v!.maximum(tf.scalar(2).broadcastTo([1, 4, 4, 1]))),
          relu: gradients((v) => v!.sub(2).relu()),
          relu6: gradients((v) => v!.mul(3).relu6()),
          abs: gradients((v) => v!.sub(2).abs()),
          clip: gradients((v) => v!.clipByValue(0, 2)),
        },
        x,
      );
    });
  });
});
