import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { CheckedOptions, type Given, requireInteger, requireNumber } from './options.js';
import { float, type OffsetOptions, OffsetSchedule } from './schedule.js';

/** Options of `PiecewiseConstantDecay` and `StepCosineDecayWithOffset`. */
export interface PiecewiseOptions extends OffsetOptions {
  /** Rising steps at which a piece ends (stepwise) or begins (step cosine). Required. */
  boundaries: readonly number[] | null;
  /** Learning rates. Required; one more than boundaries (stepwise), or as many (step cosine). */
  values: readonly number[] | null;
}

function readPieces(options: Given<PiecewiseOptions>, name: string, extraValues: 0 | 1) {
  const o = new CheckedOptions<PiecewiseOptions>(options, { name, boundaries: null, values: null, offset: 0 });
  const given = o.all;
  if (!Array.isArray(given.boundaries) || !Array.isArray(given.values)) {
    throw new ConfigError(`${o.name}: boundaries and values must both be given as lists.`, {
      path: given.boundaries ? 'values' : 'boundaries',
    });
  }
  const boundaries = given.boundaries.map((b, i) => requireInteger(b, `boundaries[${i}]`, o.name));
  const values = given.values.map((v, i) => requireNumber(v, `values[${i}]`, o.name));
  if (values.length !== boundaries.length + extraValues || values.length === 0) {
    const expected = extraValues ? 'one more value than boundaries' : 'as many values as boundaries, and at least one';
    throw new ConfigError(`${o.name} needs ${expected}, but got ${boundaries.length} boundaries and ${values.length} values.`, {
      path: 'values',
    });
  }
  if (boundaries.some((b, i) => i > 0 && b <= boundaries[i - 1]!)) {
    throw new ConfigError(`${o.name}: boundaries must rise, but are [${boundaries.join(', ')}].`, { path: 'boundaries' });
  }
  return { checked: o, boundaries, values };
}

/** v₀ up to and including b₁, v₁ after it up to and including b₂, and so on; of s = step − offset. */
export class PiecewiseConstantDecay extends OffsetSchedule {
  private readonly boundaries: readonly number[];
  private readonly values: readonly number[];

  constructor(options: Given<PiecewiseOptions>) {
    const { checked, boundaries, values } = readPieces(options, 'PiecewiseConstantDecay', 1);
    super(checked);
    this.boundaries = boundaries;
    this.values = values;
  }

  protected rateAt(s: number): number {
    const piece = this.boundaries.filter((b) => s > b).length;
    return this.values[piece]!;
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    if (this.boundaries.length === 0) return tf.scalar(this.values[0]!);
    const passed = tf.greater(s, tf.tensor1d([...this.boundaries], 'int32'));
    return pick(this.values, 'float32', count(passed));
  }
}

/**
 * Cosine pieces from value to value: in piece i, from boundary bᵢ to bᵢ₊₁, z + (a − z)·½(1 + cos(π x/T)) with a = vᵢ, z = vᵢ₊₁,
 * T = bᵢ₊₁ − bᵢ and x = s − bᵢ, s = step − offset. The first piece uses x = s, so its boundary should be 0.
 *
 * From the last boundary on the last value is held. (The original divides by zero there and gives not-a-number.)
 */
export class StepCosineDecayWithOffset extends OffsetSchedule {
  private readonly starts: readonly number[];
  /** Per piece: the clock at which it reaches its target, π/2 divided by its length, value less target, target. */
  private readonly pieces: readonly { end: number; scale: number; height: number; target: number }[];

  constructor(options: Given<PiecewiseOptions>) {
    const { checked, boundaries, values } = readPieces(options, 'StepCosineDecayWithOffset', 0);
    super(checked);
    this.starts = boundaries.slice(1);
    this.pieces = values.map((value, i) => {
      const target = values[i + 1];
      if (target === undefined) return { end: 0, scale: 0, height: 0, target: value };
      const length = boundaries[i + 1]! - boundaries[i]!;
      return { end: (i === 0 ? 0 : boundaries[i]!) + length, scale: Math.PI / 2 / length, height: value - target, target };
    });
  }

  protected rateAt(s: number): number {
    const piece = this.pieces[this.starts.filter((b) => s >= b).length]!;
    return piece.target + piece.height * Math.sin(piece.scale * (piece.end - s)) ** 2;
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    if (this.starts.length === 0) return tf.scalar(this.pieces[0]!.target);
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
  }
}

/** Number of true elements, as an int32 scalar. */
function count(flags: tf.Tensor): tf.Scalar {
  return tf.sum(tf.cast(flags, 'int32')) as tf.Scalar;
}

function pick(values: readonly number[], dtype: 'float32' | 'int32', index: tf.Scalar): tf.Scalar {
  return tf.gather(tf.tensor1d([...values], dtype), index) as unknown as tf.Scalar;
}
