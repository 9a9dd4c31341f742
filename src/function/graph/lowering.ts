/** The context in which a kernel emits its ONNX form: names, constants, and the physical layouts of values. */
import { sizeOf, type DType } from '../dtype.js';
import type { Call, Value } from './ir.js';
import { elementType, type ElementType, type OnnxAttribute, type OnnxInitializer, type OnnxNode } from './onnx.js';
import { uniformValue } from './uniform.js';

/**
 * A value as it exists in the ONNX graph. `rows` is tfjs's own order (NHWC for images); `nchw` is a rank-4 value with the
 * channels second, the order ONNX's convolutions compute in.
 */
export interface Physical {
  readonly name: string;
  readonly layout: 'rows' | 'nchw';
}

/** A layout of a value. */
export type Layout = Physical['layout'];

/** Constants with at most this many bytes are shared when their contents are equal. */
const SHARED_CONSTANT_BYTES = 4096;

/** Writes ONNX nodes for one graph. */
export class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  /** Prefix of node names while a kernel is lowered. */
  label = '';
  /** The call that is lowered; undefined for what several calls share. */
  call: Call | undefined;
  /** What it means when the nodes emitted from here on fail at run time; undefined leaves ONNX Runtime's own text. */
  failure: string | undefined;
  private readonly names = new Map<Value, Partial<Record<Layout, string>>>();
  private readonly constants = new Map<string, string>();
  private readonly memo = new Map<string, string>();
  /** What a name is a reshape of, and the shapes of named values. */
  private readonly reshaped = new Map<string, string>();
  private readonly shapes = new Map<string, string>();

  /**
   * @param emit lowers calls into a graph; for kernels that hold a program of their own.
   * @param counter numbers the names, which must differ between a graph and those inside it.
   * @param native ops of the domain `orbit` that may be used; without any the graph is portable.
   */
  constructor(
    private readonly emit: (g: Lowering, calls: readonly Call[]) => void = () => {},
    private readonly counter = { next: 0 },
    /** The native kernels that may be used. */
    readonly native: ReadonlySet<string> = new Set(),
  ) {}

  /** A graph inside this one, with these calls lowered; `bind` defines its inputs first. */
  nested(calls: readonly Call[], bind: (inner: Lowering) => void): Lowering {
    const inner = new Lowering(this.emit, this.counter, this.native);
    bind(inner);
    this.emit(inner, calls);
    return inner;
  }

  /** A name that nothing else has. */
  fresh(prefix = 't'): string {
    return `${prefix}${this.counter.next++}`;
  }

  /** From here on, emitted nodes belong to this call. */
  start(call: Call): void {
    this.call = call;
    this.label = call.kernel;
  }

  /** Binds a value to a name of the graph: an input, or the result of a kernel. */
  define(value: Value, physical: Physical): void {
    const known = this.names.get(value) ?? {};
    known[physical.layout] = physical.name;
    this.names.set(value, known);
    const [n, h, w, c] = value.shape;
    this.shapes.set(physical.name, (physical.layout === 'nchw' ? [n, c, h, w] : value.shape).join());
  }

  /** True when the value already exists in that layout, so that using it so costs nothing. */
  has(value: Value, layout: Layout): boolean {
    if (layout === 'rows' && this.isConstant(value)) return true;
    return this.names.get(value)?.[layout] !== undefined;
  }

  /** The name of the value in tfjs's order; transposes it if it only exists as NCHW. */
  rows(value: Value): string {
    const known = this.known(value);
    if (known.rows === undefined) {
      const [n, h, w, c] = value.shape as [number, number, number, number];
      const same = c === 1 || h * w === 1;
      known.rows = same ? this.reshape(known.nchw!, [n, h, w, c]) : this.op('Transpose', [known.nchw!], { perm: [0, 2, 3, 1] });
    }
    return known.rows;
  }

  /** The name of a rank-4 value with the channels second; transposes it if it only exists in tfjs's order. */
  nchw(value: Value): string {
    const known = this.known(value);
    if (known.nchw === undefined) {
      const [n, h, w, c] = value.shape as [number, number, number, number];
      const same = c === 1 || h * w === 1;
      known.nchw = same ? this.reshape(known.rows!, [n, c, h, w]) : this.op('Transpose', [known.rows!], { perm: [0, 3, 1, 2] });
    }
    return known.nchw;
  }

  /** The name of the value in the given layout. */
  in(value: Value, layout: Layout): string {
    return layout === 'rows' ? this.rows(value) : this.nchw(value);
  }

  /** The layout in which an elementwise kernel should compute, so that as few operands as possible are transposed. */
  preferredLayout(...values: Value[]): Layout {
    const images = values.filter((v) => v.shape.length === 4 && !this.isConstant(v));
    if (images.length === 0) return 'rows';
    if (images.every((v) => this.has(v, 'rows'))) return 'rows';
    return images.some((v) => this.has(v, 'nchw')) ? 'nchw' : 'rows';
  }

  /** Emits a node with one output and returns the output's name. */
  op(op: string, inputs: string[], attributes: Record<string, OnnxAttribute> = {}, domain: OnnxNode['domain'] = ''): string {
    return this.ops(op, inputs, 1, attributes, domain)[0]!;
  }

  /** Emits a node with several outputs. */
  ops(
    op: string,
    inputs: string[],
    count: number,
    attributes: Record<string, OnnxAttribute> = {},
    domain: OnnxNode['domain'] = '',
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    const node = { op, domain, inputs, outputs, attributes, label: `${this.label}/${op}_${this.counter.next}` };
    const { call, failure } = this;
    this.nodes.push(failure === undefined ? { ...node, call } : { ...node, call, failure });
    return outputs;
  }

  /** A constant. Small equal constants share one initializer. */
  constant(data: OnnxInitializer['data'], shape: readonly number[], type: ElementType): string {
    const small = data.byteLength <= SHARED_CONSTANT_BYTES;
    const key = small
      ? `${type}:${shape.join(',')}:${Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).toString('base64')}`
      : '';
    const shared = small ? this.constants.get(key) : undefined;
    if (shared !== undefined) return shared;
    const name = this.fresh('c');
    this.initializers.push({ name, type, shape, data });
    if (small) this.constants.set(key, name);
    return name;
  }

  /** A one-dimensional int64 constant: axes, shapes, pads. */
  ints(values: readonly number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length], 'int64');
  }

  /** A scalar constant of a dtype. */
  scalar(value: number, dtype: DType | 'uint32' | 'int64' = 'float32'): string {
    switch (dtype) {
      case 'float32':
        return this.constant(Float32Array.of(value), [], 'float32');
      case 'int32':
        return this.constant(Int32Array.of(value), [], 'int32');
      case 'bool':
        return this.constant(Uint8Array.of(value ? 1 : 0), [], 'bool');
      case 'uint32':
        return this.constant(Uint32Array.of(value), [], 'uint32');
      case 'int64':
        return this.constant(BigInt64Array.of(BigInt(value)), [], 'int64');
    }
  }

  /** A constant filled with one value, made by the graph instead of stored in it when it is large. */
  filled(value: number, shape: readonly number[], dtype: DType): string {
    const scalar = this.scalar(value, dtype);
    if (shape.length === 0) return scalar;
    return this.once(`filled:${dtype}:${value}:${shape.join(',')}:${Object.is(value, -0)}`, () =>
      this.op('Expand', [scalar, this.ints(shape)]),
    );
  }

  /** Reshape to a static shape. A reshape of a reshape starts from the first; back to the first shape gives the first name. */
  reshape(name: string, shape: readonly number[]): string {
    const base = this.reshaped.get(name);
    if (base !== undefined) return this.reshape(base, shape);
    if (this.shapes.get(name) === shape.join()) return name;
    const made = this.emitReshape(name, shape);
    this.reshaped.set(made, name);
    return made;
  }

  private emitReshape(name: string, shape: readonly number[]): string {
    // A 0 in ONNX's Reshape means "keep": allowzero makes it mean an empty dimension, as here.
    return this.op('Reshape', [name, this.ints(shape)], shape.includes(0) ? { allowzero: 1 } : {});
  }

  /** Cast to an element type. */
  cast(name: string, type: ElementType): string {
    return this.op('Cast', [name], { to: elementType[type] });
  }

  /** Transpose; the identity permutation emits nothing. */
  transpose(name: string, perm: readonly number[]): string {
    return perm.every((p, i) => p === i) ? name : this.op('Transpose', [name], { perm });
  }

  /** Emits something at most once per graph: later calls with the same key get the first result. */
  once(key: string, emit: () => string): string {
    let name = this.memo.get(key);
    if (name === undefined) {
      const { label, failure, call } = this;
      this.label = 'shared';
      this.failure = this.call = undefined;
      name = emit();
      Object.assign(this, { label, failure, call });
      this.memo.set(key, name);
    }
    return name;
  }

  private isConstant(value: Value): boolean {
    return value.source.kind === 'constant';
  }

  private known(value: Value): Partial<Record<Layout, string>> {
    let known = this.names.get(value);
    if (known === undefined) {
      if (value.source.kind !== 'constant') throw new Error(`value ${value.id} is used before it is defined`);
      const { data } = value.source;
      const splat = data.byteLength > SHARED_CONSTANT_BYTES && uniformValue(data) !== undefined;
      known = { rows: splat ? this.filled(data[0]!, value.shape, value.dtype) : this.constant(data, value.shape, value.dtype) };
      this.names.set(value, known);
    }
    return known;
  }
}

/** A result in tfjs's order. */
export const rows = (name: string): Physical => ({ name, layout: 'rows' });
/** A rank-4 result with the channels second. */
export const nchw = (name: string): Physical => ({ name, layout: 'nchw' });
/** Number of elements of a value. */
export const elements = (value: { readonly shape: readonly number[] }): number => sizeOf(value.shape);
