/** Finds the calls that one pass over memory can compute together. */
import { producer, type Call, type Graph, type Value } from '../ir.js';
import { accessOf } from './access.js';
import { dependsOn } from './dependence.js';
import { reductionOf, rowReductionOf, sizeOf, strip } from './forms.js';
import type { Group, Member } from './group.js';
import { Inlining } from './inlining.js';

/** Programs longer than this gain nothing more and would leave the cache. */
const MAX_MEMBERS = 96;
const MAX_INPUTS = 48;

/** Assigns calls to groups, and says which values their readers compute themselves. */
export class Grouping {
  readonly groups = new Set<Group>();
  readonly groupOf = new Map<Call, Group>();
  /** What readers compute themselves instead of reading it. */
  readonly inlining: Inlining;
  /** Positions of the calls in the program. */
  readonly index = new Map<Call, number>();
  private readonly readers = new Map<Value, Group[]>();

  constructor(graph: Graph, images: boolean) {
    this.inlining = new Inlining(graph, images);
    graph.calls.forEach((call, i) => this.index.set(call, i));
    for (const call of graph.calls) this.place(call);
  }

  private place(call: Call): void {
    const member = this.memberOf(call);
    if (member === undefined) return;
    const size = this.sizeOf(call, member);
    const operands = this.leaves(call, member);
    const candidates = new Set<Group>();
    for (const { base } of operands) {
      const made = producer(base);
      const group = made === undefined ? undefined : this.groupOf.get(made);
      if (group !== undefined) candidates.add(group);
    }
    if (member.kind === 'sum' || member.kind === 'rowReduction')
      for (const { base } of operands) this.readers.get(base)?.forEach((g) => candidates.add(g));
    let home: Group | undefined;
    for (const group of [...candidates].sort((a, b) => b.last - a.last)) {
      if (home === undefined) {
        if (this.joins(group, call, member, size)) home = group;
      } else if (this.unites(home, group)) this.unite(home, group);
    }
    if (home === undefined) {
      if (member.kind === 'row') return;
      home = {
        size,
        row: member.kind === 'sum' ? undefined : member.form.row,
        members: new Map([[call, member]]),
        first: this.index.get(call)!,
        last: this.index.get(call)!,
      };
      this.groups.add(home);
      this.groupOf.set(call, home);
    }
    for (const { base } of operands) {
      const known = this.readers.get(base) ?? [];
      if (sizeOf(base.shape) === size && !known.includes(home)) this.readers.set(base, [...known, home]);
    }
  }

  private memberOf(call: Call): Member | undefined {
    if (this.inlining.isInlined(call) || this.inlining.isExcluded(call)) return undefined;
    const sum = reductionOf(call);
    if (sum !== undefined) return { kind: 'sum', form: sum };
    const row = rowReductionOf(call);
    if (row !== undefined) return { kind: 'rowReduction', form: row };
    const form = this.inlining.form(call);
    if (form === undefined || call.outputs[0]!.dtype !== 'float32' || !this.inlining.isReadable(call, form)) return undefined;
    return { kind: 'full', form };
  }

  private sizeOf(call: Call, member: Member): number {
    return sizeOf(member.kind === 'full' || member.kind === 'row' ? call.outputs[0]!.shape : member.form.x.shape);
  }

  /** The values that a member reads, below what it computes itself. */
  leaves(call: Call, member: Member): { base: Value; shape: readonly number[]; result: readonly number[] }[] {
    const found: { base: Value; shape: readonly number[]; result: readonly number[] }[] = [];
    const visit = (v: Value, result: readonly number[]): void => {
      const base = strip(v);
      const made = producer(base);
      if (made !== undefined && accessOf(v.shape, result)?.kind === 'full' && this.inlining.isInlined(made) && !this.groupOf.has(made)) {
        for (const operand of this.inlining.form(made)!.operands) visit(operand, base.shape);
      } else found.push({ base, shape: v.shape, result });
    };
    if (member.kind === 'full' || member.kind === 'row') for (const v of member.form.operands) visit(v, call.outputs[0]!.shape);
    else visit(member.form.x, member.form.x.shape);
    return found;
  }

  /** Puts a call into a group if it computes on the group's elements or rows and nothing between depends on the group. */
  private joins(group: Group, call: Call, member: Member, size: number): boolean {
    if (group.members.size >= MAX_MEMBERS) return false;
    const perRow = group.row !== undefined && size === group.size / group.row && size !== group.size;
    const row = member.kind === 'sum' ? undefined : member.form.row;
    if (perRow ? member.kind !== 'full' || row !== undefined : size !== group.size) return false;
    if (row !== undefined && group.row !== undefined && row !== group.row) return false;
    const kind = perRow ? 'row' : member.kind;
    if (!this.fits(group, this.leaves(call, member), kind, row ?? group.row)) return false;
    if (this.inputsOf(group).size + call.inputs.length > MAX_INPUTS) return false;
    group.members.set(call, { ...member, kind } as Member);
    group.row ??= row;
    group.last = Math.max(group.last, this.index.get(call)!);
    group.first = Math.min(group.first, this.index.get(call)!);
    this.groupOf.set(call, group);
    return true;
  }

  private fits(group: Group, leaves: ReturnType<Grouping['leaves']>, kind: Member['kind'], row: number | undefined): boolean {
    return leaves.every(({ base, shape, result }) => {
      const access = accessOf(shape, result);
      if (access === undefined) return false;
      if (kind === 'row' && access.kind !== 'full' && access.kind !== 'scalar') return false;
      const made = producer(base);
      const inside = made === undefined ? undefined : group.members.get(made);
      if (inside === undefined) return !dependsOn(base, group, this);
      if (inside.kind === 'sum') return false;
      const perRow = inside.kind !== 'full';
      if (kind === 'row') return perRow && access.kind === 'full';
      return perRow ? access.kind === 'prefix' && access.period === row : access.kind === 'full';
    });
  }

  /** True when two groups may become one: of the same elements, and no path leads from one to the other through a third. */
  private unites(a: Group, b: Group): boolean {
    if (a === b || a.size !== b.size || (a.row !== undefined && b.row !== undefined && a.row !== b.row)) return false;
    if (a.members.size + b.members.size > MAX_MEMBERS || this.inputsOf(a).size + this.inputsOf(b).size > MAX_INPUTS) return false;
    const row = a.row ?? b.row;
    const fits = (x: Group, y: Group): boolean =>
      [...x.members].every(([call, m]) => this.fitsOther(y, this.leaves(call, m), m.kind, row, x));
    return fits(a, b) && fits(b, a);
  }

  private fitsOther(
    other: Group,
    leaves: ReturnType<Grouping['leaves']>,
    kind: Member['kind'],
    row: number | undefined,
    own: Group,
  ): boolean {
    return this.fits(
      other,
      leaves.filter(({ base }) => {
        const made = producer(base);
        return made === undefined || !own.members.has(made);
      }),
      kind,
      row,
    );
  }

  private unite(a: Group, b: Group): void {
    for (const [call, member] of b.members) {
      a.members.set(call, member);
      this.groupOf.set(call, a);
    }
    a.row ??= b.row;
    a.first = Math.min(a.first, b.first);
    a.last = Math.max(a.last, b.last);
    this.groups.delete(b);
    for (const [value, groups] of this.readers)
      if (groups.includes(b)) this.readers.set(value, [...new Set(groups.map((g) => (g === b ? a : g)))]);
  }

  /** Values that a group reads from outside. */
  inputsOf(group: Group): Set<Value> {
    const inputs = new Set<Value>();
    for (const [call, member] of group.members)
      for (const { base } of this.leaves(call, member)) {
        const made = producer(base);
        if (made === undefined || !group.members.has(made)) inputs.add(base);
      }
    return inputs;
  }
}
