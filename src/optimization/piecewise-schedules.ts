import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { type Given, readOptions, requireInteger, requireNumber } from './options.js';
import { float, type LearningRateSchedule, shifted } from './schedule.js';

/** Options of `PiecewiseConstantDecay` and `StepCosineDecayWithOffset`. */
export interface PiecewiseOptions {
  /** Name in messages. */
  name: string;
  /** Rising steps at which a piece ends (stepwise) or begins (step cosine). Required. */
  boundaries: readonly number[] | null;
  /** Learning rates. Required; one more than boundaries (stepwise), or as many (step cosine). */
  values: readonly number[] | null;
  /** Step at which the schedule's clock shows 0. Default 0. */
  offset: number;
}

function readPieces(options: Given<PiecewiseOptions>, name: string, extraValues: 0 | 1) {
  const o = readOptions<PiecewiseOptions>(options, { name, boundaries: null, values: null, offset: 0 }, name);
  if (!Array.isArray(o.boundaries) || !Array.isArray(o.values)) {
    throw new ConfigError(`${o.name}: boundaries and values must both be given as lists.`, {
      path: o.boundaries ? 'values' : 'boundaries',
    });
  }
  const boundaries = o.boundaries.map((b, i) => requireInteger(b, `boundaries[${i}]`, o.name));
  const values = o.values.map((v, i) => requireNumber(v, `values[${i}]`, o.name));
  if (values.length !== boundaries.length + extraValues || values.length === 0) {
    const expected = extraValues ? 'one more value than boundaries' : 'as many values as boundaries, and at least one';
    throw new ConfigError(`${o.name} needs ${expected}, but got ${boundaries.length} boundaries and ${values.length} values.`, {
      path: 'values',
    });
  }
  if (boundaries.some((b, i) => i > 0 && b <= boundaries[i - 1]!)) {
    throw new ConfigError(`${o.name}: boundaries must rise, but are [${boundaries.join(', ')}].`, { path: 'boundaries' });
  }
  return { name: o.name, boundaries, values, offset: requireInteger(o.offset, 'offset', o.name) };
}

/** v₀ up to and including b₁, v₁ after it up to and including b₂, and so on; of s = step − offset. */
export class PiecewiseConstantDecay implements LearningRateSchedule {
  readonly name: string;
  private readonly boundaries: readonly number[];
  private readonly values: readonly number[];
  private readonly offset: number;

  constructor(options: Given<PiecewiseOptions>) {
    ({
      name: this.name,
      boundaries: this.boundaries,
      values: this.values,
      offset: this.offset,
    } = readPieces(options, 'PiecewiseConstantDecay', 1));
  }

  valueAt(step: number): number {
    const piece = this.boundaries.filter((b) => step - this.offset > b).length;
    return this.values[piece]!;
  }

  at(step: tf.Scalar): tf.Scalar {
    return tf.tidy(() => {
      if (this.boundaries.length === 0) return tf.scalar(this.values[0]!);
      const passed = tf.greater(shifted(step, this.offset), tf.tensor1d([...this.boundaries], 'int32'));
      return pick(this.values, 'float32', count(passed));
    });
  }
}

/**
 * Cosine pieces from value to value: in piece i, from boundary bᵢ to bᵢ₊₁, z + (a − z)·½(1 + cos(π x/T)) with a = vᵢ, z = vᵢ₊₁,
 * T = bᵢ₊₁ − bᵢ and x = s − bᵢ, s = step − offset. The first piece uses x = s, so its boundary should be 0.
 *
 * From the last boundary on the last value is held. (The original divides by zero there and gives not-a-number.)
 */
export class StepCosineDecayWithOffset implements LearningRateSchedule {
  readonly name: string;
  private readonly starts: readonly number[];
  private readonly offset: number;
  /** Per piece: the clock at which it reaches its target, π/2 divided by its length, value less target, target. */
  private readonly pieces: readonly { end: number; scale: number; height: number; target: number }[];

  constructor(options: Given<PiecewiseOptions>) {
    const { name, boundaries, values, offset } = readPieces(options, 'StepCosineDecayWithOffset', 0);
    this.name = name;
    this.offset = offset;
    this.starts = boundaries.slice(1);
    this.pieces = values.map((value, i) => {
      const target = values[i + 1];
      if (target === undefined) return { end: 0, scale: 0, height: 0, target: value };
      const length = boundaries[i + 1]! - boundaries[i]!;
      return { end: (i === 0 ? 0 : boundaries[i]!) + length, scale: Math.PI / 2 / length, height: value - target, target };
    });
  }

  valueAt(step: number): number {
    const s = step - this.offset;
    const piece = this.pieces[this.starts.filter((b) => s >= b).length]!;
    return piece.target + piece.height * Math.sin(piece.scale * (piece.end - s)) ** 2;
  }

  at(step: tf.Scalar): tf.Scalar {
    return tf.tidy(() => {
      if (this.starts.length === 0) return tf.scalar(this.pieces[0]!.target);
      const s = shifted(step, this.offset);
      const index = count(tf.greaterEqual(s, tf.tensor1d([...this.starts], 'int32')));
      const of = (key: 'scale' | 'height' | 'target') =>
        pick(
          this.pieces.map((p) => p[key]),
          'float32',
          index,
        );
      const left = float(
        tf.sub(
          pick(
            this.pieces.map((p) => p.end),
            'int32',
            index,
          ),
          s,
        ),
      );
      const wave = tf.square(tf.sin(tf.mul(left, of('scale'))));
      return tf.add(tf.mul(wave, of('height')), of('target')) as tf.Scalar;
    });
  }
}

/** Number of true elements, as an int32 scalar. */
function count(flags: tf.Tensor): tf.Scalar {
  return tf.sum(tf.cast(flags, 'int32')) as tf.Scalar;
}

function pick(values: readonly number[], dtype: 'float32' | 'int32', index: tf.Scalar): tf.Scalar {
  return tf.gather(tf.tensor1d([...values], dtype), index) as unknown as tf.Scalar;
}
