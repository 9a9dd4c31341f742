/** From the step of a loop to a program over rows. */
import { formOf, sizeOf, strip } from '../fusion/forms.js';
import { accessOf } from '../fusion/access.js';
import { producer, type Call, type Value } from '../ir.js';
import type { LoopBody } from '../loop.js';
import { ProgramWriter, Unsupported } from './program.js';

/** Kernels that give another shape to the same numbers. */
export const ALIASES: ReadonlySet<string> = new Set(['Reshape', 'Identity', 'ExpandDims', 'Squeeze']);

/** What the writer asks of the program around the loop. */
export interface Around {
  readonly stacks: readonly Value[];
  readonly outer: readonly Value[];
  /** True for a result over all steps that only this loop reads, and whose step it can compute itself. */
  readonly sinks: (stack: Value) => boolean;
}

/** Writes the calls of a step. Throws `Unsupported` where rows depend on one another or a call has no instruction. */
export class StepWriter extends ProgramWriter {
  private readonly known = new Map<Value, number>();
  private readonly slices = new Map<Value, number>();

  constructor(
    private readonly body: LoopBody,
    private readonly around: Around,
    /** Rows that every value of the step has. */
    private readonly rows: number,
  ) {
    super();
    body.carried.forEach(({ value }, i) => this.known.set(value, this.value('state', i, this.columns(value.shape))));
    body.calls.forEach((call) => this.call(call));
  }

  /** The number of a value of the step. */
  of(v: Value): number {
    const known = this.known.get(v);
    if (known !== undefined) return known;
    const slice = this.body.sliced.indexOf(v);
    return slice < 0 ? this.value('fixed', this.input(this.outside(v)), this.columns(v.shape)) : this.slice(this.around.stacks[slice]!);
  }

  /** Elements of a row. */
  private columns(shape: readonly number[]): number {
    if (this.rows > 1 && shape.find((d) => d !== 1) !== this.rows) throw new Unsupported('rows are mixed');
    return sizeOf(shape) / this.rows;
  }

  /** One step of a stack. */
  private slice(stack: Value): number {
    const bare = strip(stack);
    const base = bare.shape[0] === this.body.steps || this.around.sinks(bare) ? bare : stack;
    let number = this.slices.get(base);
    if (number === undefined) {
      if (!this.around.sinks(base)) this.columns(base.shape.slice(1));
      number = this.around.sinks(base) ? this.sunk(base, producer(base)!) : this.stacked(base);
      this.slices.set(base, number);
    }
    return number;
  }

  /** One step of a stack in memory. */
  private stacked(stack: Value): number {
    return this.value('slice', this.input(stack), sizeOf(stack.shape) / this.body.steps / this.rows);
  }

  /** What the step computes itself of a stack that only it reads. */
  private sunk(stack: Value, call: Call): number {
    const [x, matrix] = call.inputs as [Value, Value];
    if (isProduct(call)) {
      const left = strip(x);
      return this.product(this.stacked(left), matrix, call.attrs['transposeB'] === true, stack.shape.at(-1)!);
    }
    const width = this.columns(stack.shape.slice(1));
    if (call.kernel === 'SplitV') {
      const before = call.outputs.slice(0, call.outputs.indexOf(stack)).map((v) => this.columns(v.shape.slice(1)));
      const offset = before.reduce((sum, w) => sum + w, 0);
      if (!this.within(x.shape.slice(1), axisOf(call, x) - 1)) throw new Unsupported('rows are cut apart');
      return this.value('columns', this.slice(x), width, offset);
    }
    const form = formOf(call)!;
    const operands = form.operands.map((v) => this.sunkOperand(v, stack));
    this.width = width;
    return form.emit(this, operands);
  }

  private sunkOperand(v: Value, result: Value): number {
    const shape = result.shape.slice(1);
    if (v.shape.length < result.shape.length) return this.fixed(v, shape);
    const slice = this.slice(v);
    return this.broadcast(slice, v.shape.slice(1), shape);
  }

  /** What a value that all steps share is outside the loop. */
  private outside(v: Value): Value {
    const captured = this.body.captured.indexOf(v);
    return captured < 0 ? v : this.around.outer[captured]!;
  }

  /** A value that is the same in each step, as an operand of a result. */
  private fixed(v: Value, result: readonly number[]): number {
    const value = this.outside(v);
    const access = accessOf(v.shape, result);
    const width = this.columns(result);
    if (value.source.kind === 'constant' && sizeOf(v.shape) === 1 && access !== undefined) return this.constant(value.source.data[0]!);
    switch (access?.kind) {
      case 'scalar':
        return this.value('scalar', this.input(value), 1);
      case 'full':
        return this.value('fixed', this.input(value), width);
      case 'suffix':
        if (access.period === width) return this.value('vector', this.input(value), width);
        break;
      case 'prefix':
        if (access.period === width) return this.value('fixed', this.input(value), 1);
        break;
      case undefined:
    }
    throw new Unsupported('a broadcast within rows');
  }

  /** A value of the step as an operand: as wide as the result, or one number per row. */
  private broadcast(number: number, shape: readonly number[], result: readonly number[]): number {
    const access = accessOf(shape, result);
    const width = this.columns(result);
    const wanted = access?.kind === 'full' ? width : 1;
    if (access === undefined || access.kind === 'suffix' || this.widthOf(number) !== wanted)
      throw new Unsupported('a broadcast within rows');
    if (access.kind === 'prefix' && access.period !== width) throw new Unsupported('a broadcast within rows');
    return number;
  }

  private operand(v: Value, result: readonly number[]): number {
    const own = this.known.has(v) || this.body.sliced.includes(v);
    return own ? this.broadcast(this.of(v), v.shape, result) : this.fixed(v, result);
  }

  private call(call: Call): void {
    const [out] = call.outputs as [Value];
    const [x] = call.inputs as [Value];
    if (ALIASES.has(call.kernel)) {
      if (this.columns(out.shape) !== this.columns(x.shape)) throw new Unsupported('rows are mixed');
      this.known.set(out, this.of(x));
    } else if (isProduct(call)) this.known.set(out, this.matrixProduct(call));
    else if (call.kernel === 'SplitV') this.split(call);
    else if (call.kernel === 'Slice') this.known.set(out, this.columnsOf(call));
    else if (call.kernel === 'Concat') this.known.set(out, this.sideBySide(call));
    else {
      const form = formOf(call);
      if (form === undefined) throw new Unsupported(call.kernel);
      const operands = form.operands.map((v) => this.operand(v, out.shape));
      this.width = this.columns(out.shape);
      this.known.set(out, form.emit(this, operands));
    }
  }

  private matrixProduct(call: Call): number {
    const [a, b, bias] = call.inputs as [Value, Value, Value | undefined];
    const { transposeA, transposeB, activation } = call.attrs;
    const [out] = call.outputs as [Value];
    const matrix = this.body.captured.indexOf(b);
    const [k, n] = [a.shape.at(-1)!, out.shape.at(-1)!];
    const perRow = this.columns(a.shape) === k && this.columns(out.shape) === n;
    if (matrix < 0 || transposeA === true || !perRow || sizeOf(b.shape) !== k * n || a.dtype !== 'float32')
      throw new Unsupported('this product');
    if ((activation ?? 'linear') !== 'linear' || call.inputs.length > 3) throw new Unsupported('a product with an activation');
    const product = this.product(this.of(a), strip(this.around.outer[matrix]!), transposeB === true, n);
    if (bias === undefined) return product;
    this.width = n;
    return this.emit(0, product, this.operand(bias, out.shape));
  }

  /** True when cutting along this axis cuts within each row. */
  private within(shape: readonly number[], axis: number): boolean {
    return sizeOf(shape.slice(0, axis)) === this.rows && (this.rows > 1 || axis > 0);
  }

  private split(call: Call): void {
    const [x] = call.inputs as [Value];
    const axis = axisOf(call, x);
    if (!this.within(x.shape, axis)) throw new Unsupported('rows are cut apart');
    const from = this.of(x);
    let offset = 0;
    for (const out of call.outputs) {
      const width = this.columns(out.shape);
      this.known.set(out, this.value('columns', from, width, offset));
      offset += width;
    }
  }

  private columnsOf(call: Call): number {
    const [x] = call.inputs as [Value];
    const [out] = call.outputs as [Value];
    const axis = x.shape.findIndex((d, i) => d !== out.shape[i]);
    const begin = call.attrs['begin'] as number[];
    if (axis < 0 || !this.within(x.shape, axis) || x.shape.some((d, i) => i !== axis && d !== out.shape[i])) throw new Unsupported('Slice');
    return this.value('columns', this.of(x), this.columns(out.shape), begin[axis]! * sizeOf(x.shape.slice(axis + 1)));
  }

  private sideBySide(call: Call): number {
    const [out] = call.outputs as [Value];
    if (!this.within(out.shape, axisOf(call, out))) throw new Unsupported('rows are joined');
    return this.concat(call.inputs.map((v) => this.of(v)));
  }
}

/** True for matrix products. */
export function isProduct({ kernel }: Call): boolean {
  return kernel === 'BatchMatMul' || kernel === '_FusedMatMul';
}

/** The axis along which a call cuts or joins. */
function axisOf(call: Call, v: Value): number {
  const axis = call.attrs['axis'] as number;
  return axis < 0 ? axis + v.shape.length : axis;
}
