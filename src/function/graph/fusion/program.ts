/** Writes the program of a group: the attributes of the native kernel `Fused`. */
import { makeCall, producer, type Call, type Value } from '../ir.js';
import { accessCode, accessOf, type Access } from './access.js';
import { strip, type Form } from './forms.js';
import type { Group, Member } from './group.js';
import type { Grouping } from './groups.js';
import type { Emitter } from './opcodes.js';

/** The kernel of fused calls. */
export const FUSED = 'orbit.Fused';

/** Numbers of the attribute `outputs`. */
export const keepCode = { full: 0, channels: 1, total: 2, row: 3 } as const;

/** Attributes of a fused call, as the native kernel takes them. */
export interface FusedAttrs {
  /** Elements that each instruction computes. */
  readonly size: number;
  /** Length of rows; 0 without. */
  readonly row: number;
  /** Access and period of each input. */
  readonly inputs: readonly number[];
  readonly constants: readonly number[];
  /** Instruction and three operands, each. */
  readonly program: readonly number[];
  /** What is kept, operand and period of each output. */
  readonly outputs: readonly number[];
  /** Factor of each output's sums. */
  readonly scales: readonly number[];
  /** The kernels inside, for profiles. */
  readonly kernels: readonly string[];
}

// Operands are numbered inputs, constants, instructions; while writing, each kind has its own range.
const CONSTANT = 1 << 20;
const RESULT = 1 << 21;

/** A fused call in the making. */
class Writer implements Emitter {
  readonly inputs: { value: Value; access: Access }[] = [];
  readonly constants: number[] = [];
  readonly program: number[] = [];
  readonly kernels: string[] = [];
  private readonly known = new Map<Call, number>();
  private readonly inlinedRows = new Map<Call, number>();

  constructor(
    private readonly grouping: Grouping,
    private readonly group: Group,
  ) {}

  emit(op: number, ...operands: number[]): number {
    this.program.push(op, operands[0] ?? -1, operands[1] ?? -1, operands[2] ?? -1);
    return RESULT + this.program.length / 4 - 1;
  }

  constant(value: number): number {
    const v = Math.fround(value);
    let i = this.constants.findIndex((c) => Object.is(c, v));
    if (i < 0) i = this.constants.push(v) - 1;
    return CONSTANT + i;
  }

  /** The number of a member's result. */
  member(call: Call): number {
    let number = this.known.get(call);
    if (number === undefined) {
      const member = this.group.members.get(call)!;
      number = this.compute(call, member);
      this.known.set(call, number);
      this.kernels.push(call.kernel);
    }
    return number;
  }

  private compute(call: Call, member: Member): number {
    switch (member.kind) {
      case 'full':
      case 'row':
        return this.form(call, member.form, member.kind === 'row');
      case 'rowReduction':
        return member.form.emit(this, this.operand(member.form.x, member.form.x.shape, false));
      case 'sum':
        return this.operand(member.form.x, member.form.x.shape, false);
    }
  }

  private form(call: Call, form: Form, perRow: boolean): number {
    return form.emit(
      this,
      form.operands.map((v) => this.operand(v, call.outputs[0]!.shape, perRow)),
    );
  }

  private operand(v: Value, result: readonly number[], perRow: boolean): number {
    const access = accessOf(v.shape, result)!;
    const base = strip(v);
    if (base.source.kind === 'constant' && access.kind === 'scalar') return this.constant(base.source.data[0]!);
    const made = producer(base);
    if (made !== undefined && this.group.members.has(made)) return this.member(made);
    if (made !== undefined && access.kind === 'full' && this.grouping.inlining.isInlined(made)) {
      const known = perRow ? this.inlinedRows : this.known;
      let number = known.get(made);
      if (number === undefined) {
        number = this.form(made, this.grouping.inlining.form(made)!, perRow);
        known.set(made, number);
        this.kernels.push(made.kernel);
      }
      return number;
    }
    return this.input(base, perRow && access.kind === 'full' ? { kind: 'prefix', period: this.group.row! } : access);
  }

  private input(value: Value, access: Access): number {
    let i = this.inputs.findIndex((x) => x.value === value && x.access.kind === access.kind && x.access.period === access.period);
    if (i < 0) i = this.inputs.push({ value, access }) - 1;
    return i;
  }
}

/** A fused call, and the value of the old graph that each of its outputs replaces. */
export interface FusedCall {
  readonly call: Call;
  readonly replaces: readonly Value[];
  /** Number of instructions. */
  readonly instructions: number;
}

/**
 * Writes a group as one call.
 *
 * @param wanted results of the group that are read outside it.
 */
export function fusedCall(grouping: Grouping, group: Group, wanted: readonly Value[]): FusedCall {
  const writer = new Writer(grouping, group);
  const kept = wanted.map((value) => {
    const call = producer(value)!;
    const member = group.members.get(call)!;
    const number = writer.member(call);
    if (member.kind === 'sum') return { keep: keepCode[member.form.keep], number, period: member.form.period, scale: member.form.scale };
    if (member.kind === 'full') return { keep: keepCode.full, number, period: 1, scale: 1 };
    return { keep: keepCode.row, number, period: group.row!, scale: 1 };
  });
  const first = writer.inputs.length;
  const place = (n: number): number =>
    n < 0 ? -1 : n >= RESULT ? first + writer.constants.length + n - RESULT : n >= CONSTANT ? first + n - CONSTANT : n;
  const attrs: FusedAttrs = {
    size: group.size,
    row: group.row ?? 0,
    inputs: writer.inputs.flatMap(({ access }) => [accessCode[access.kind], access.period]),
    constants: writer.constants,
    program: writer.program.map((n, i) => (i % 4 === 0 ? n : place(n))),
    outputs: kept.flatMap(({ keep, number, period }) => [keep, place(number), period]),
    scales: kept.map((k) => k.scale),
    kernels: writer.kernels,
  };
  const inputs = Object.fromEntries(writer.inputs.map(({ value }, i) => [String(i), value]));
  const { origin } = producer(wanted[0]!)!;
  return {
    call: makeCall(FUSED, inputs, attrs as unknown as Record<string, unknown>, wanted, origin),
    replaces: wanted,
    instructions: writer.program.length / 4,
  };
}
