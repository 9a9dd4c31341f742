/** Finds the results that each reader computes again for itself: cheaper than writing them to memory and reading them back. */
import { producer, roots, type Call, type Graph, type Value } from '../ir.js';
import { accessOf } from './access.js';
import { formOf, reductionOf, rowReductionOf, sizeOf, strip, type Form } from './forms.js';

/** Chains of cheap kernels that each reader computes itself. */
const MAX_INLINED = 4;

/** Which elementwise calls of a graph disappear into their readers. */
export class Inlining {
  private readonly uses = new Map<Value, Call[]>();
  private readonly roots: ReadonlySet<Value>;
  private readonly inlined = new Map<Call, number | undefined>();
  private readonly forms = new Map<Call, Form | undefined>();

  /** @param images whether tensors of rank 4 are fused, too */
  constructor(
    graph: Graph,
    private readonly images: boolean,
  ) {
    this.roots = new Set(roots(graph));
    for (const call of graph.calls) {
      for (const v of new Set(call.inputs)) this.uses.set(v, [...(this.uses.get(v) ?? []), call]);
    }
  }

  /** The form of an elementwise call. */
  form(call: Call): Form | undefined {
    if (!this.forms.has(call)) this.forms.set(call, this.isExcluded(call) ? undefined : formOf(call));
    return this.forms.get(call);
  }

  /** True for calls on tensors that are not fused. */
  isExcluded(call: Call): boolean {
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
    return form !== undefined && accessOf(value.shape, reader.outputs[0]!.shape)?.kind === 'full' && this.isReadable(reader, form);
  }

  /** True when no operand is a truth value that would have to be read from memory. */
  isReadable(call: Call, form: Form): boolean {
    return form.operands.every((v) => {
      const made = producer(strip(v));
      const same = accessOf(v.shape, call.outputs[0]!.shape)?.kind === 'full';
      return v.dtype !== 'bool' || (same && made !== undefined && this.depth(made) !== undefined);
    });
  }
}
