/**
 * The bindings of a program, kept from call to call. Which buffers a run reads and writes follows from which buffer of each
 * variable is current, so there is a set of bindings for each such combination that was met.
 */
import type { Value } from '../graph/ir.js';
import type { NativeBuffer } from './buffer.js';
import { cellGeneration } from './cell.js';
import type { LoweredSegment, Step } from './segments.js';
import type { Binding, Session } from './session.js';

/** Bindings kept per program. Functions that share variables meet few combinations of current buffers. */
const MAX_BINDINGS = 8;

/** The bindings of all graph segments for one combination of current buffers, and the input buffers that they point at. */
export interface BindingSet {
  /** By step; undefined for steps of the host. */
  readonly bindings: readonly (Binding | undefined)[];
  /** By input of the program; undefined for inputs that nothing reads. */
  readonly inputs: (NativeBuffer | undefined)[];
}

/** Makes and keeps the bindings of one program. */
export class BindingSets {
  private readonly sets = new Map<string, BindingSet>();
  private generation = -1;

  /**
   * @param values the program's inputs.
   * @param inputs the buffers that new bindings read them from; undefined for inputs that nothing reads.
   * @param bind binds a graph to the buffers that are current.
   */
  constructor(
    private readonly values: readonly Value[],
    private readonly inputs: readonly (NativeBuffer | undefined)[],
    private readonly steps: readonly Step[],
    private readonly bind: (segment: LoweredSegment, session: Session) => Binding,
  ) {}

  /** The set for the combination `key` of current buffers, which is that of now. */
  of(key: string): BindingSet {
    if (this.generation !== cellGeneration()) this.release();
    const set = this.sets.get(key) ?? this.make(key);
    this.generation = cellGeneration();
    return set;
  }

  /** Makes the graphs read input `i` of the program from the buffer. */
  setInput(set: BindingSet, i: number, buffer: NativeBuffer): void {
    if (set.inputs[i] === buffer) return;
    set.inputs[i] = buffer; // also keeps it in memory while the bindings point at it
    const value = this.values[i]!;
    this.steps.forEach((step, k) => {
      if (step.kind !== 'graph') return;
      const at = step.segment.graph.inputs.indexOf(value);
      const name = at < 0 ? undefined : step.segment.lowered.inputs[at];
      if (name !== undefined) step.session.rebind(set.bindings[k]!, name, buffer);
    });
  }

  private make(key: string): BindingSet {
    if (this.sets.size >= MAX_BINDINGS) this.release();
    const bindings = this.steps.map((step) => (step.kind === 'graph' ? this.bind(step.segment, step.session) : undefined));
    const set: BindingSet = { bindings, inputs: [...this.inputs] };
    this.sets.set(key, set);
    return set;
  }

  private release(): void {
    for (const { bindings } of this.sets.values()) {
      this.steps.forEach((step, i) => step.kind === 'graph' && step.session.release(bindings[i]!));
    }
    this.sets.clear();
  }
}
