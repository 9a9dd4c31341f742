/** The parts of a compiled program, in the order in which they run. */
import type { Graph, Value } from '../graph/ir.js';
import type { LoweredGraph } from '../graph/lower.js';
import type { Session } from './session.js';

/** A graph segment, lowered. */
export interface LoweredSegment {
  readonly kind: 'graph';
  readonly graph: Graph;
  readonly lowered: LoweredGraph;
}

/** What an executable runs, in order. */
export type ExecutableSegment =
  LoweredSegment | { readonly kind: 'allReduce'; readonly from: readonly Value[]; readonly to: readonly Value[] };

/** A segment made ready to run. */
export type Step =
  | { readonly kind: 'graph'; readonly segment: LoweredSegment; readonly session: Session }
  | { readonly kind: 'host'; readonly run: () => void };
