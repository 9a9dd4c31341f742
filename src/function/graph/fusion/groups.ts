/** Finds the calls that one pass over memory can compute together. */
import { producer, roots, type Call, type Graph, type Value } from '../ir.js';
import { accessOf } from './access.js';
import { formOf, reductionOf, rowReductionOf, sizeOf, strip, type Form, type Reduction, type RowReduction } from './forms.js';

/** Programs longer than this gain nothing more and would leave the cache. */
const MAX_MEMBERS = 96;
const MAX_INPUTS = 48;
/** Chains of cheap kernels that each reader computes itself. */
const MAX_INLINED = 4;

/** What a call is within its group: as large as the group, one number per row, or a sum at its end. */
export type Member =
  | { readonly kind: 'full'; readonly form: Form }
  | { readonly kind: 'row'; readonly form: Form }
  | { readonly kind: 'rowReduction'; readonly form: RowReduction }
  | { readonly kind: 'sum'; readonly form: Reduction };

/** Calls that are computed together. */
export interface Group {
  readonly size: number;
  row: number | undefined;
  readonly members: Map<Call, Member>;
  first: number;
  last: number;
}

/** Assigns calls to groups, and says which values their readers compute themselves. */
export class Grouping {
  readonly groups = new Set<Group>();
  readonly groupOf = new Map<Call, Group>();
  private readonly index = new Map<Call, number>();
  private readonly uses = new Map<Value, Call[]>();
  private readonly roots: ReadonlySet<Value>;
  private readonly inlined = new Map<Call, number | undefined>();
  private readonly forms = new Map<Call, Form | undefined>();
  private readonly readers = new Map<Value, Group[]>();

  constructor(
    graph: Graph,
    private readonly images: boolean,
  ) {
    this.roots = new Set(roots(graph));
    graph.calls.forEach((call, i) => {
      this.index.set(call, i);
      for (const v of new Set(call.inputs)) this.uses.set(v, [...(this.uses.get(v) ?? []), call]);
    });
    for (const call of graph.calls) this.place(call);
  }

  /** The form of an elementwise call. */
  form(call: Call): Form | undefined {
    if (!this.forms.has(call)) this.forms.set(call, this.excluded(call) ? undefined : formOf(call));
    return this.forms.get(call);
  }

  private excluded(call: Call): boolean {
    return !this.images && [...call.inputs, ...call.outputs].some((v) => v.shape.length === 4);
  }

  /** True when readers compute the call's result themselves instead of reading it. */
  isInlined(call: Call): boolean {
    return this.depth(call) !== undefined;
  }

  /** Calls that a reader of this one computes with it, or undefined when it reads its result. */
  private depth(call: Call): number | undefined {
    if (!this.inlined.has(call)) {
      this.inlined.set(call, undefined); // no recursion through itself
      this.inlined.set(call, this.findDepth(call));
    }
    return this.inlined.get(call);
  }

  private findDepth(call: Call): number | undefined {
    const form = this.form(call);
    if (form === undefined) return undefined;
    const out = call.outputs[0]!;
    const truth = out.dtype === 'bool';
    const uses = this.uses.get(out) ?? [];
    const fromTruth = form.operands.some((v) => v.dtype === 'bool') && form.operands.length === 1;
    let depth = 1;
    let images = 0;
    for (const v of form.operands) {
      const base = strip(v);
      const made = producer(base);
      const inner = made === undefined || accessOf(v.shape, out.shape)?.kind !== 'full' ? undefined : this.depth(made);
      if (base.dtype === 'bool' && inner === undefined) return undefined; // truth values are never read from memory
      if (inner !== undefined) depth += inner;
      if (accessOf(v.shape, out.shape)?.kind === 'full' && sizeOf(v.shape) > 1) images += 1;
    }
    if (truth || fromTruth) return depth <= 3 * MAX_INLINED ? depth : undefined;
    if (!form.cheap || images > 1 || depth > MAX_INLINED || this.roots.has(out)) return undefined;
    if (uses.length > 1 && depth > 2) return undefined;
    return uses.every((reader) => this.fuses(reader, out)) ? depth : undefined;
  }

  /** True when the call is elementwise, or sums, over all of the value. */
  private fuses(reader: Call, value: Value): boolean {
    if (reductionOf(reader) !== undefined || rowReductionOf(reader) !== undefined) return true;
    const form = this.form(reader);
    return form !== undefined && accessOf(value.shape, reader.outputs[0]!.shape)?.kind === 'full' && this.readable(reader, form);
  }

  /** True when no operand is a truth value that would have to be read from memory. */
  private readable(call: Call, form: Form): boolean {
    return form.operands.every((v) => {
      const made = producer(strip(v));
      const same = accessOf(v.shape, call.outputs[0]!.shape)?.kind === 'full';
      return v.dtype !== 'bool' || (same && made !== undefined && this.depth(made) !== undefined);
    });
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
    if (this.isInlined(call) || this.excluded(call)) return undefined;
    const sum = reductionOf(call);
    if (sum !== undefined) return { kind: 'sum', form: sum };
    const row = rowReductionOf(call);
    if (row !== undefined) return { kind: 'rowReduction', form: row };
    const form = this.form(call);
    if (form === undefined || call.outputs[0]!.dtype !== 'float32' || !this.readable(call, form)) return undefined;
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
      if (made !== undefined && accessOf(v.shape, result)?.kind === 'full' && this.isInlined(made) && !this.groupOf.has(made)) {
        for (const operand of this.form(made)!.operands) visit(operand, base.shape);
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
      if (inside === undefined) return !this.depends(base, group);
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

  /** True when a value is computed from something that the group computes. */
  private depends(value: Value, group: Group): boolean {
    const seen = new Set<Call | Group>();
    const floor = this.floorOf(group);
    const visit = (v: Value): boolean => {
      const call = producer(v);
      if (call === undefined || this.index.get(call)! < floor) return false;
      const owner = this.groupOf.get(call);
      if (owner === group) return true;
      const node = owner ?? call;
      if (seen.has(node)) return false;
      seen.add(node);
      if (owner === undefined) return call.inputs.some(visit);
      return [...owner.members.keys()].some((member) => member.inputs.some(visit));
    };
    return visit(value);
  }

  /**
   * No call before this position depends on the group. That is not the group's first call: a group runs as a whole, so that what
   * reads its first call waits for its last one, too.
   */
  private floorOf(group: Group): number {
    let floor = group.first;
    for (let before = Infinity; floor < before;) {
      before = floor;
      for (const { first, last } of this.groups) if (last >= floor && first < floor) floor = first;
    }
    return floor;
  }
}
