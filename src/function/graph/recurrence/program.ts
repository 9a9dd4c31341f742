/** The program of the native kernel `Recurrence`: values that hold one row for each row of the batch, and instructions over them. */
import type { Value } from '../ir.js';
import type { Emitter } from '../fusion/opcodes.js';

/** What a value of the program is; native/src/recurrence.cc has the same list. */
export const valueKind = { slice: 0, fixed: 1, vector: 2, scalar: 3, constant: 4, state: 5, result: 6, columns: 7 } as const;

/** What an output gives: the last state, the stack of a value over all steps, or its sum. */
export const gives = { last: 0, stack: 1, sum: 2 } as const;

/** Instructions besides the elementwise ones. */
export const PRODUCT = 100;
const PRODUCT_TRANSPOSED = 101;
const ADD = 0;
const COPY = 32;
const LAST_ELEMENTWISE = 34;

interface Entry {
  kind: number;
  source: number;
  offset: number;
  readonly width: number;
}

interface Instruction {
  op: number;
  out: number;
  /** Values; for products the left one, the number of the matrix's input, and what is added, if anything. */
  operands: number[];
}

/** A form that the native kernel has no instruction for. */
export class Unsupported extends Error {}

/** Writes a program. Numbers of values are places in `values`. */
export class ProgramWriter implements Emitter {
  readonly inputs: Value[] = [];
  readonly constants: number[] = [];
  private readonly values: Entry[] = [];
  private readonly program: Instruction[] = [];
  /** Columns of the results that `emit` makes. */
  width = 0;

  /** The number of the kernel's input that holds a value. */
  input(value: Value): number {
    const i = this.inputs.indexOf(value);
    return i >= 0 ? i : this.inputs.push(value) - 1;
  }

  /** A value that is no result. */
  value(kind: keyof typeof valueKind, source: number, width: number, offset = 0): number {
    return this.values.push({ kind: valueKind[kind], source, offset, width }) - 1;
  }

  widthOf(value: number): number {
    return this.values[value]!.width;
  }

  constant(value: number): number {
    const v = Math.fround(value);
    let i = this.constants.findIndex((c) => Object.is(c, v));
    if (i < 0) i = this.constants.push(v) - 1;
    const known = this.values.findIndex((e) => e.kind === valueKind.constant && e.source === i);
    return known >= 0 ? known : this.value('constant', i, 1);
  }

  emit(op: number, ...operands: number[]): number {
    if (op > LAST_ELEMENTWISE) throw new Unsupported('sums within rows');
    return this.write(op, this.value('result', 0, this.width), operands);
  }

  /** left · matrix, or left · matrixᵀ. */
  product(left: number, matrix: Value, transposed: boolean, width: number): number {
    return this.write(transposed ? PRODUCT_TRANSPOSED : PRODUCT, this.value('result', 0, width), [left, this.input(matrix)]);
  }

  /** Values side by side: results are written in place, others copied. */
  concat(pieces: readonly number[]): number {
    const whole = this.value(
      'result',
      0,
      pieces.reduce((sum, p) => sum + this.widthOf(p), 0),
    );
    let offset = 0;
    for (const piece of pieces) {
      const entry = this.values[piece]!;
      if (entry.kind === valueKind.result && this.program.some((x) => x.out === piece))
        Object.assign(entry, { kind: valueKind.columns, source: whole, offset });
      else this.write(COPY, this.value('columns', whole, entry.width, offset), [piece]);
      offset += entry.width;
    }
    return whole;
  }

  /** The attributes; `kept` are values that outputs and states read besides the program. */
  attributes(kept: readonly number[]): { values: number[]; constants: number[]; program: number[] } {
    this.foldAdditions(kept);
    return {
      values: this.values.flatMap(({ kind, source, offset, width }) => [kind, source, offset, width]),
      constants: this.constants,
      program: this.program.flatMap(({ op, out, operands }) => [op, out, ...[0, 1, 2].map((k) => operands[k] ?? -1)]),
    };
  }

  private write(op: number, out: number, operands: number[]): number {
    this.program.push({ op, out, operands });
    return out;
  }

  /** Lets a product start from what is added to it and nothing else. */
  private foldAdditions(kept: readonly number[]): void {
    const uses = new Map<number, number>();
    const use = (v: number): void => void uses.set(v, (uses.get(v) ?? 0) + 1);
    const isProduct = ({ op }: Instruction): boolean => op >= PRODUCT;
    for (const x of this.program) (isProduct(x) ? [x.operands[0]!] : x.operands).forEach(use);
    kept.forEach(use);
    for (const { kind, source } of this.values) if (kind === valueKind.columns) use(source);
    for (const sum of this.program.filter((x) => x.op === ADD)) {
      const side = sum.operands.findIndex((v) => uses.get(v) === 1 && this.program.some((x) => isProduct(x) && x.out === v));
      const at = this.program.findIndex((x) => x.out === sum.operands[side] && isProduct(x));
      const other = this.values[sum.operands[1 - side]!];
      if (side < 0 || other?.width !== this.widthOf(sum.out) || isNumber(other) || this.program[at]!.operands.length > 2) continue;
      if (this.values[this.program[at]!.out]!.kind !== valueKind.result) continue;
      const product = this.program[at]!;
      Object.assign(sum, { op: product.op, operands: [...product.operands, sum.operands[1 - side]!] });
      this.program.splice(at, 1);
    }
  }
}

const isNumber = ({ kind }: Entry): boolean => kind === valueKind.scalar || kind === valueKind.constant;
