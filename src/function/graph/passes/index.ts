/** Graph passes: pure functions from graph to graph, each switchable by name. */
import type { Graph } from '../ir.js';
import { channelAlgebra } from './channel-algebra.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { convBias } from './conv-bias.js';
import { deadCode } from './dead-code.js';
import { foldConstants } from './fold-constants.js';
import { loopFactors } from './loop-factors.js';
import { narrowBroadcasts } from './narrow-broadcasts.js';
import { packUpdates } from './pack-updates.js';
import { productScale } from './product-scale.js';
import { products } from './products.js';
import { pruneLoops } from './prune-loops.js';
import { reluGradient } from './relu-gradient.js';
import { removeIdentities } from './simplify.js';
import { splitLoops } from './split-loops.js';

/** The passes in the order in which they run. */
export const passes = {
  deadCode,
  removeIdentities,
  pruneLoops,
  loopFactors,
  splitLoops,
  foldConstants,
  commonSubexpressions,
  reluGradient,
  channelAlgebra,
  narrowBroadcasts,
  products,
  productScale,
  packUpdates,
  convBias,
  deadCodeAgain: deadCode,
} as const;

/** Name of a pass. */
export type PassName = keyof typeof passes;

/** Runs all passes but the disabled ones. */
export function optimize(graph: Graph, disabled: readonly PassName[] = []): Graph {
  return (Object.keys(passes) as PassName[]).filter((name) => !disabled.includes(name)).reduce((g, name) => passes[name](g), graph);
}
