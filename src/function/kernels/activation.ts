/** Activations that tfjs fuses into matrix products and convolutions. */
import type { Attrs } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';

const emitters: Record<string, (g: Lowering, x: string, attrs: Attrs, weights?: string) => string> = {
  linear: (_, x) => x,
  relu: (g, x) => g.op('Relu', [x]),
  relu6: (g, x) => g.op('Clip', [x, g.scalar(0), g.scalar(6)]),
  elu: (g, x) => g.op('Elu', [x]),
  sigmoid: (g, x) => g.op('Sigmoid', [x]),
  leakyrelu: (g, x, attrs) => g.op('LeakyRelu', [x], { alpha: { float: (attrs['leakyreluAlpha'] as number | undefined) ?? 0.2 } }),
  prelu: (g, x, _, weights) => g.op('PRelu', [x, weights!]),
};

/** The activations that can be fused. */
export const activationNames = {
  /** Throws when a kernel asks for an activation that is not known. */
  check(name: unknown): void {
    if (name !== undefined && name !== null && !(String(name) in emitters))
      throw new Error(`the fused activation "${String(name)}" is not known`);
  },
};

/** Applies the activation that the attributes name; none gives x back. */
export function activate(g: Lowering, x: string, attrs: Attrs, preluWeights?: string): string {
  return emitters[(attrs['activation'] as string | null | undefined) ?? 'linear']!(g, x, attrs, preluWeights);
}
