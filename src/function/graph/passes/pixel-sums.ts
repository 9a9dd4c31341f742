/** Sums over the pixels of images that are known as forms. */
import { makeValue, type Value } from '../ir.js';
import { isLinear, ONE, scalar, type ChannelForms, type Emit, type Linear, type Product } from './channel-forms.js';
import { pixels } from './channel-shapes.js';

/** Emits sums, each image and each product of two images once; the factors are applied to the sums. */
export class PixelSums {
  private readonly sums = new Map<Value, Map<Value | undefined, Value>>();

  /** @param isCentred whether an image has its mean subtracted: it sums to nothing */
  constructor(
    private readonly forms: ChannelForms,
    private readonly emit: Emit,
    private readonly isCentred: (image: Value) => boolean,
  ) {}

  /** Σ over pixels, as [channels]. */
  of(form: Linear | Product, shape: readonly number[]): Value {
    const terms: Value[] = [];
    const collect = (left: Value | typeof ONE, right: Value | typeof ONE, factor: Value | undefined): void => {
      const images = [left, right].filter((v): v is Value => v !== ONE).sort((a, b) => a.id - b.id);
      const sum = this.sumOfImages(images, shape);
      if (sum !== undefined) terms.push(this.forms.times(sum, factor)!);
    };
    if (isLinear(form)) form.forEach((factor, image) => collect(image, ONE, factor));
    else {
      const { left, right } = form;
      left.forEach((f, a) => right.forEach((h, b) => collect(a, b, this.forms.times(f, h))));
    }
    const channels = shape.at(-1)!;
    if (terms.length === 0)
      return makeValue({ dtype: 'float32', shape: [channels] }, { kind: 'constant', data: new Float32Array(channels) });
    const total = terms.reduce((a, b) => this.forms.binary('Add', a, b));
    return total.shape.length === 1 ? total : this.emit('BroadcastTo', { x: total }, [channels], { shape: [channels] });
  }

  /** Σ over pixels of an image, of a product of two, or of ones; undefined for zero. */
  private sumOfImages([a, b]: readonly Value[], shape: readonly number[]): Value | undefined {
    if (a === undefined) return scalar(pixels(shape));
    if (b === undefined && this.isCentred(a)) return undefined;
    let known = this.sums.get(a);
    if (known === undefined) this.sums.set(a, (known = new Map()));
    let sum = known.get(b);
    if (sum === undefined) {
      const image = b === undefined ? a : this.emit('Multiply', { a, b }, a.shape);
      sum = this.emit('Sum', { x: image }, [shape.at(-1)!], { axis: [0, 1, 2], keepDims: false });
      known.set(b, sum);
    }
    return sum;
  }
}
