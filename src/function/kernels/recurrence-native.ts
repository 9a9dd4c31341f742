/** Whole sequences of recurrent layers by the native kernel `Recurrence`; written by `graph/recurrence`. */
import { TraceError } from '../../errors.js';
import { RECURRENCE, type RecurrenceAttrs } from '../graph/recurrence/index.js';
import { rows } from '../graph/lowering.js';
import { defineKernels, listOf } from './define.js';

defineKernels({
  kernel: RECURRENCE,
  form: 'native: all steps of a recurrent layer or of its gradient',
  infer: () => {
    throw new TraceError('A native recurrence is made by the compiler alone.', { op: RECURRENCE });
  },
  lower: (g, inputs, attrs, call) => {
    const { steps, rows: count, reverse, values, constants, program, states, outputs } = attrs as unknown as RecurrenceAttrs;
    const names = g.ops(
      'Recurrence',
      listOf(inputs).map((v) => (v.dtype === 'float32' ? g.rows(v) : g.cast(g.rows(v), 'float32'))),
      call.outputs.length,
      {
        steps,
        rows: count,
        reverse: reverse ? 1 : 0,
        values,
        // An empty list of floats has no type in ONNX.
        constants: { floats: [...constants, 0] },
        program,
        states,
        outputs,
        shapes: call.outputs.flatMap((v) => [v.shape.length, ...v.shape]),
      },
      'orbit',
    );
    return names.map(rows);
  },
});
