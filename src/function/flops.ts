/** Counting the arithmetic of a function from its traced program. */
import type { Call } from './graph/ir.js';
import { input } from './graph/ir.js';
import { sizeOf } from './dtype.js';
import { traceProgram } from './program.js';
import { flattenArguments } from './structure.js';

/**
 * Multiplications and additions of the matrix products and convolutions that a tfjs function makes for these arguments: nearly all
 * the arithmetic of a model. Nothing is computed.
 *
 * @returns null where a part of the program repeats a number of times that is not known from its shapes (recurrent layers)
 * @throws TraceError when the function cannot be traced
 */
export function countFlops(fn: (...args: never[]) => unknown, args: readonly unknown[]): number | null {
  const call = fn as unknown as (...given: unknown[]) => unknown;
  const program = traceProgram(call, 'count_flops', flattenArguments(args, 'count_flops'), true, {});
  try {
    let flops = 0;
    for (const one of program.graph.calls) {
      const count = flopsOf(one);
      if (count === null) return null;
      flops += count;
    }
    return flops;
  } finally {
    program.close();
  }
}

function flopsOf(call: Call): number | null {
  const { kernel, attrs } = call;
  const [out] = call.outputs;
  if (/loop|scan/i.test(kernel)) return null;
  if (kernel === 'BatchMatMul' || kernel === '_FusedMatMul') {
    const shape = input(call, 'a')!.shape;
    return 2 * sizeOf(out!.shape) * shape.at(attrs['transposeA'] ? -2 : -1)!;
  }
  const filter = input(call, 'filter');
  if (filter === undefined) return 0;
  const perOutput = /depthwise/i.test(kernel) ? filter.shape[0]! * filter.shape[1]! : sizeOf(filter.shape) / filter.shape.at(-1)!;
  return 2 * sizeOf(out!.shape) * perOutput;
}
