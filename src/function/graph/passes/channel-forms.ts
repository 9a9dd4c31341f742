/** Images as sums of per-channel vectors times a few images: arithmetic on the vectors stands for arithmetic on images. */
import { makeValue, type Value } from '../ir.js';

/** Stands for an image of ones: its factor is a plain per-channel vector. */
export const ONE = Symbol('one');

/** Σ factor · image. Factors are float32[C] or scalars; undefined means 1. */
export type Linear = ReadonlyMap<Value | typeof ONE, Value | undefined>;

/** A product of two images that nothing has needed yet. */
export interface Product {
  readonly left: Linear;
  readonly right: Linear;
}

/** Tells the two apart. */
export const isLinear = (form: Linear | Product): form is Linear => form instanceof Map;

/** One image, unchanged. */
export const isTrivial = (form: Linear): boolean =>
  form.size === 1 && [...form].every(([image, factor]) => image !== ONE && factor === undefined);

/** A vector without an image. */
export const isPlain = (form: Linear): boolean => form.size === 1 && form.has(ONE);

/** A constant of one number. */
export function scalar(value: number): Value {
  return makeValue({ dtype: 'float32', shape: [] }, { kind: 'constant', data: Float32Array.of(value) });
}

const isOne = (v: Value): boolean => v.source.kind === 'constant' && v.shape.length === 0 && v.source.data[0] === 1;

/** Emits a call and returns its result. */
export type Emit = (kernel: string, inputs: Record<string, Value>, shape: readonly number[], attrs?: object) => Value;

/** Computes with forms; what it emits works on vectors until an image is asked for. */
export class ChannelForms {
  constructor(private readonly emit: Emit) {}

  /** The image itself. */
  materialize(form: Linear | Product, shape: readonly number[]): Value {
    if (!isLinear(form)) {
      return this.emit('Multiply', { a: this.materialize(form.left, shape), b: this.materialize(form.right, shape) }, shape);
    }
    let sum: Value | undefined;
    for (const [image, factor] of form) {
      if (image === ONE) continue;
      const term = factor === undefined ? image : this.emit('Multiply', { a: image, b: factor }, shape);
      sum = sum === undefined ? term : this.emit('Add', { a: sum, b: term }, shape);
    }
    if (!form.has(ONE)) return sum!;
    const constant = form.get(ONE) ?? scalar(1);
    if (sum !== undefined) return this.emit('Add', { a: sum, b: constant }, shape);
    return this.emit('BroadcastTo', { x: constant }, shape, { shape: [...shape] });
  }

  /** left + right. */
  add(left: Linear, right: Linear): Linear {
    const sum = new Map(left);
    for (const [image, factor] of right) {
      sum.set(image, sum.has(image) ? this.binary('Add', sum.get(image) ?? scalar(1), factor ?? scalar(1)) : factor);
    }
    return sum;
  }

  /** The form times a vector or scalar. */
  scale(form: Linear, by: Value | undefined): Linear {
    return new Map([...form].map(([image, factor]) => [image, this.times(factor, by)]));
  }

  /** The form divided by a vector or scalar. */
  divide(form: Linear, by: Value): Linear {
    return new Map([...form].map(([image, factor]) => [image, this.binary('RealDiv', factor ?? scalar(1), by)]));
  }

  /** a · b, where undefined means 1. */
  times(a: Value | undefined, b: Value | undefined): Value | undefined {
    return a === undefined || isOne(a) ? b : b === undefined || isOne(b) ? a : this.binary('Multiply', a, b);
  }

  /** A kernel of two vectors or scalars. */
  binary(kernel: string, a: Value, b: Value): Value {
    return this.emit(kernel, { a, b }, a.shape.length > b.shape.length ? a.shape : b.shape);
  }
}
