import { makeCall, makeValue, producer, input, type Call, type Graph, type Value } from '../ir.js';
import { uniformValue } from '../uniform.js';

/**
 * Batch normalisation in training mode reaches the graph as some thirty passes over the image, forward and backward. This
 * pass treats images as sums of per-channel vectors times a few images (the centred input, the incoming gradient) and does
 * the algebra on the vectors: what remains is one centred image, two sums, and one multiply-add per result. Numbers change
 * by rounding alone; a graph without such a normalisation stays as it is.
 */
export function channelAlgebra(graph: Graph): Graph {
  return graph.calls.some((c) => c.kernel === 'FusedBatchNorm' && meanOf(input(c, 'mean')!) === input(c, 'x'))
    ? new Algebra(graph).run()
    : graph;
}

/** Stands for an image of ones: its factor is a plain per-channel vector. */
const ONE = Symbol('one');

/** Σ factor · image. Factors are float32[C] or scalars; undefined means 1. */
type Linear = ReadonlyMap<Value | typeof ONE, Value | undefined>;

/** A product of two images that nothing has needed yet. */
interface Product {
  readonly left: Linear;
  readonly right: Linear;
}

const isLinear = (form: Linear | Product): form is Linear => form instanceof Map;

class Algebra {
  private readonly calls: Call[] = [];
  private readonly replaced = new Map<Value, Value>();
  private readonly forms = new Map<Value, Linear | Product>();
  private readonly centred = new Map<Value, Value>();
  private readonly sums = new Map<Value, Map<Value | undefined, Value>>();

  private origin: Call['origin'] = {};

  constructor(private readonly graph: Graph) {}

  run(): Graph {
    for (const call of this.graph.calls) this.visit(call);
    return {
      ...this.graph,
      outputs: this.graph.outputs.map((v) => this.value(v)),
      assignments: this.graph.assignments.map((a) => ({ variable: a.variable, value: this.value(a.value) })),
      calls: this.calls,
    };
  }

  private visit(call: Call): void {
    this.origin = call.origin;
    const out = call.outputs[0]!;
    if (isImage(out)) {
      const subtracted = call.kernel === 'Sub' && isVector(call.inputs[1]!, out.shape) ? meanOf(call.inputs[1]!) : undefined;
      if (subtracted !== undefined && subtracted === call.inputs[0]) {
        const x = this.value(subtracted);
        const known = this.centred.get(x);
        if (known === undefined) this.centred.set(x, this.keep(call));
        else this.replaced.set(out, known);
        return;
      }
      const form = this.formOf(call, out.shape);
      if (form !== undefined) {
        this.forms.set(out, form);
        return;
      }
    } else if (call.kernel === 'Sum' && isImage(call.inputs[0]!) && isOverPixels(call)) {
      const total = this.sumOf(this.imageForm(call.inputs[0]!), call.inputs[0]!.shape);
      this.replaced.set(
        out,
        total.shape.join() === out.shape.join() ? total : this.emit('Reshape', { x: total }, out.shape, { shape: [...out.shape] }),
      );
      return;
    }
    this.keep(call);
  }

  /** Emits a call as it is, over emitted inputs; returns its first output. */
  private keep(old: Call): Value {
    const inputs = old.inputs.map((v) => this.value(v));
    if (inputs.every((v, i) => v === old.inputs[i])) {
      this.calls.push(old);
      return old.outputs[0]!;
    }
    const call: Call = { ...old, inputs };
    call.outputs = old.outputs.map((v, output) => makeValue(v, { kind: 'call', call, output }));
    old.outputs.forEach((v, i) => this.replaced.set(v, call.outputs[i]!));
    this.calls.push(call);
    return call.outputs[0]!;
  }

  private emit(kernel: string, inputs: Record<string, Value>, shape: readonly number[], attrs = {}): Value {
    const call = makeCall(kernel, inputs, attrs, [{ dtype: 'float32', shape }], this.origin);
    this.calls.push(call);
    return call.outputs[0]!;
  }

  /** The emitted value that stands for a value of the old graph. */
  private value(old: Value): Value {
    const known = this.replaced.get(old);
    if (known !== undefined) return known;
    const form = this.forms.get(old);
    if (form === undefined) return old;
    const made = this.materialize(form, old.shape);
    this.replaced.set(old, made);
    return made;
  }

  private materialize(form: Linear | Product, shape: readonly number[]): Value {
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

  /** The form of a call's result, or undefined where the call stays as it is. */
  private formOf(call: Call, shape: readonly number[]): Linear | Product | undefined {
    const [a, b] = call.inputs as [Value, Value | undefined];
    switch (call.kernel) {
      case 'Tile':
      case 'BroadcastTo':
        return isVector(a, shape) ? new Map([[ONE, this.vector(a)]]) : undefined;
      case 'Neg': {
        const form = this.linear(a, shape);
        return form && !isTrivial(form) ? this.scale(form, scalar(-1)) : undefined;
      }
      case 'Add':
      case 'Sub': {
        const [left, right] = [this.linear(a, shape), this.linear(b!, shape)];
        if (left === undefined || right === undefined || (isTrivial(left) && isTrivial(right))) return undefined;
        return this.add(left, call.kernel === 'Add' ? right : this.scale(right, scalar(-1)));
      }
      case 'Multiply': {
        const [left, right] = [this.linear(a, shape), this.linear(b!, shape)];
        if (left === undefined || right === undefined) return undefined;
        if (isPlain(right)) return this.scale(left, right.get(ONE));
        if (isPlain(left)) return this.scale(right, left.get(ONE));
        return { left, right };
      }
      case 'RealDiv': {
        const form = this.linear(a, shape);
        if (form === undefined || !isVector(b!, shape)) return undefined;
        const divisor = this.vector(b!);
        return new Map([...form].map(([image, factor]) => [image, this.binary('RealDiv', factor ?? scalar(1), divisor)]));
      }
      case 'FusedBatchNorm':
        return this.batchNorm(call);
      default:
        return undefined;
    }
  }

  /** (x − mean) · rsqrt(variance + ε) · scale + offset over the centred image that the variance has needed anyway. */
  private batchNorm(call: Call): Linear | undefined {
    const x = input(call, 'x')!;
    const image = meanOf(input(call, 'mean')!) === x ? this.centred.get(this.value(x)) : undefined;
    const [variance, scale, offset] = [input(call, 'variance')!, input(call, 'scale'), input(call, 'offset')];
    if (image === undefined || [variance, scale, offset].some((v) => v !== undefined && !isVector(v, x.shape))) return undefined;
    const epsilon = scalar((call.attrs['varianceEpsilon'] as number | null | undefined) ?? 0.001);
    const safe = this.binary('Add', this.vector(variance), epsilon);
    let factor = this.emit('Rsqrt', { x: safe }, safe.shape);
    if (scale !== undefined) factor = this.binary('Multiply', factor, this.vector(scale));
    const form = new Map<Value | typeof ONE, Value | undefined>([[image, factor]]);
    if (offset !== undefined) form.set(ONE, this.vector(offset));
    return form;
  }

  /** An operand as a sum of vectors times images; undefined for other broadcasts. */
  private linear(v: Value, shape: readonly number[]): Linear | undefined {
    if (isVector(v, shape)) return new Map([[ONE, this.vector(v)]]);
    if (v.dtype !== 'float32' || v.shape.join() !== shape.join()) return undefined;
    if (v.source.kind === 'constant' && uniformValue(v.source.data) !== undefined) return new Map([[ONE, scalar(v.source.data[0]!)]]);
    const form = this.imageForm(v);
    return isLinear(form) ? form : new Map([[this.value(v), undefined]]);
  }

  /** The form of an image; an image that exists is a form of its own. */
  private imageForm(v: Value): Linear | Product {
    const form = this.replaced.has(v) ? undefined : this.forms.get(v);
    return form ?? new Map([[this.value(v), undefined]]);
  }

  private add(left: Linear, right: Linear): Linear {
    const sum = new Map(left);
    for (const [image, factor] of right) {
      sum.set(image, sum.has(image) ? this.binary('Add', sum.get(image) ?? scalar(1), factor ?? scalar(1)) : factor);
    }
    return sum;
  }

  private scale(form: Linear, by: Value | undefined): Linear {
    return new Map([...form].map(([image, factor]) => [image, this.times(factor, by)]));
  }

  private times(a: Value | undefined, b: Value | undefined): Value | undefined {
    return a === undefined || isOne(a) ? b : b === undefined || isOne(b) ? a : this.binary('Multiply', a, b);
  }

  private binary(kernel: string, a: Value, b: Value): Value {
    return this.emit(kernel, { a, b }, a.shape.length > b.shape.length ? a.shape : b.shape);
  }

  /** A per-channel vector as [C], or a scalar as []. */
  private vector(old: Value): Value {
    const v = this.value(old);
    const size = v.shape.at(-1) ?? 1;
    const shape = size === 1 ? [] : [size];
    return v.shape.length === shape.length ? v : this.emit('Reshape', { x: v }, shape, { shape });
  }

  /** Σ over pixels, as [channels]. */
  private sumOf(form: Linear | Product, shape: readonly number[]): Value {
    const terms: Value[] = [];
    const collect = (left: Value | typeof ONE, right: Value | typeof ONE, factor: Value | undefined): void => {
      const images = [left, right].filter((v): v is Value => v !== ONE).sort((a, b) => a.id - b.id);
      const sum = this.imageSum(images, shape);
      if (sum !== undefined) terms.push(this.times(sum, factor)!);
    };
    if (isLinear(form)) form.forEach((factor, image) => collect(image, ONE, factor));
    else {
      const { left, right } = form;
      left.forEach((f, a) => right.forEach((h, b) => collect(a, b, this.times(f, h))));
    }
    const channels = shape.at(-1)!;
    if (terms.length === 0)
      return makeValue({ dtype: 'float32', shape: [channels] }, { kind: 'constant', data: new Float32Array(channels) });
    const total = terms.reduce((a, b) => this.binary('Add', a, b));
    return total.shape.length === 1 ? total : this.emit('BroadcastTo', { x: total }, [channels], { shape: [channels] });
  }

  /** Σ over pixels of an image, of a product of two, or of ones; undefined for zero. */
  private imageSum([a, b]: readonly Value[], shape: readonly number[]): Value | undefined {
    if (a === undefined) return scalar(pixels(shape));
    // An image less its mean sums to nothing.
    if (b === undefined && [...this.centred.values()].includes(a)) return undefined;
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

function scalar(value: number): Value {
  return makeValue({ dtype: 'float32', shape: [] }, { kind: 'constant', data: Float32Array.of(value) });
}

const isOne = (v: Value): boolean => v.source.kind === 'constant' && v.shape.length === 0 && v.source.data[0] === 1;

const pixels = (shape: readonly number[]): number => shape[0]! * shape[1]! * shape[2]!;

/** A float image of more than one pixel: otherwise it is itself a vector. */
const isImage = (v: Value): boolean => v.dtype === 'float32' && v.shape.length === 4 && pixels(v.shape) > 1;

/** True when the value broadcasts along the channels of an image alone. */
function isVector(v: Value, image: readonly number[]): boolean {
  const last = v.shape.at(-1) ?? 1;
  return (
    v.dtype === 'float32' && v.shape.length <= 4 && v.shape.slice(0, -1).every((d) => d === 1) && (last === 1 || last === image.at(-1))
  );
}

/** One image, unchanged. */
const isTrivial = (form: Linear): boolean => form.size === 1 && [...form].every(([image, factor]) => image !== ONE && factor === undefined);

/** A vector without an image. */
const isPlain = (form: Linear): boolean => form.size === 1 && form.has(ONE);

/** x, when the value is the mean of the image x over its pixels. */
function meanOf(value: Value): Value | undefined {
  const call = producer(value);
  if (call?.kernel === 'Reshape') return meanOf(call.inputs[0]!);
  return call?.kernel === 'Mean' && isImage(call.inputs[0]!) && isOverPixels(call) ? call.inputs[0] : undefined;
}

function isOverPixels(call: Call): boolean {
  const axis = call.attrs['axis'];
  return Array.isArray(axis) && axis.join() === '0,1,2';
}
