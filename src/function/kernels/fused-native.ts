/** Elementwise programs that the native kernel `Fused` computes in one pass; written by `graph/fusion`. */
import { FUSED, type FusedAttrs } from '../graph/fusion/index.js';
import { rows } from '../graph/lowering.js';
import { defineKernels, listOf } from './define.js';
import { TraceError } from '../../errors.js';

defineKernels({
  kernel: FUSED,
  form: 'native: chains of elementwise kernels, sums and softmax in one pass over memory',
  infer: () => {
    throw new TraceError('A fused call is made by the compiler alone.', { op: FUSED });
  },
  lower: (g, inputs, attrs, call) => {
    const { size, row, inputs: accesses, constants, program, outputs, scales } = attrs as unknown as FusedAttrs;
    const names = g.ops(
      'Fused',
      listOf(inputs).map((v) => g.rows(v)),
      call.outputs.length,
      {
        size,
        row,
        inputs: accesses,
        // An empty list of floats has no type in ONNX: the last one is no constant.
        constants: { floats: [...constants, 0] },
        program: program.length === 0 ? [] : program,
        outputs,
        scales: { floats: scales },
        shapes: call.outputs.flatMap((v) => [v.shape.length, ...v.shape]),
      },
      'orbit',
    );
    return names.map(rows);
  },
});
