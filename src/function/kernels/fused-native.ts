/** Elementwise programs that the native kernels `Fused` and `FusedUpdates` compute in one pass; written by `graph/fusion`. */
import { FUSED, FUSED_UPDATES, type FusedAttrs, type FusedUpdatesAttrs } from '../graph/fusion/index.js';
import type { Call, Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import type { OnnxAttribute } from '../graph/onnx.js';
import { defineKernels, listOf, type KernelInputs } from './define.js';
import { TraceError } from '../../errors.js';

defineKernels(
  {
    kernel: FUSED,
    form: 'native: chains of elementwise kernels, sums and softmax in one pass over memory',
    infer: madeByCompiler(FUSED),
    lower: (g, inputs, attrs, call) => {
      const fused = attrs as unknown as FusedAttrs;
      return native(g, 'Fused', inputs, fused, { size: fused.size }, call);
    },
  },
  {
    kernel: FUSED_UPDATES,
    form: 'native: the same elementwise program on many variables, the update of an optimizer',
    infer: madeByCompiler(FUSED_UPDATES),
    lower: (g, inputs, attrs, call) => {
      const updates = attrs as unknown as FusedUpdatesAttrs;
      const { sizes, shared, bytes } = updates;
      return native(g, 'FusedUpdates', inputs, updates, { sizes, shared, bytes }, call);
    },
  },
);

function madeByCompiler(kernel: string): () => never {
  return () => {
    throw new TraceError('A fused call is made by the compiler alone.', { op: kernel });
  };
}

/** Emits a node of the domain `orbit` with a program. */
function native(
  g: Lowering,
  op: string,
  values: KernelInputs,
  { row, inputs, constants, program, outputs, scales }: Omit<FusedAttrs, 'size'>,
  attributes: Readonly<Record<string, OnnxAttribute>>,
  call: Call,
): Physical[] {
  const names = g.ops(
    op,
    listOf(values).map((v) => g.rows(v)),
    call.outputs.length,
    {
      ...attributes,
      row,
      inputs,
      // An empty list of floats has no type in ONNX: the last one is no constant.
      constants: { floats: [...constants, 0] },
      program,
      outputs,
      scales: { floats: scales },
      shapes: call.outputs.flatMap((v: Value) => [v.shape.length, ...v.shape]),
    },
    'orbit',
  );
  return names.map(rows);
}
