/** Attention and its gradient by native kernels; written by `graph/fusion`. */
import { TraceError } from '../../errors.js';
import { ATTENTION, ATTENTION_GRADIENT, type AttentionAttrs } from '../graph/fusion/index.js';
import { rows } from '../graph/lowering.js';
import { defineKernels, listOf, type KernelDefinition } from './define.js';

function native(kernel: string, op: string, form: string): KernelDefinition {
  return {
    kernel,
    form,
    infer: () => {
      throw new TraceError('A call of attention is made by the compiler alone.', { op: kernel });
    },
    lower: (g, inputs, attrs, call) => {
      const { dims, views, alpha } = attrs as unknown as AttentionAttrs;
      const names = listOf(inputs).map((v) => g.rows(v));
      const shapes = call.outputs.flatMap((v) => [v.shape.length, ...v.shape]);
      return g.ops(op, names, call.outputs.length, { dims, views, alpha: { floats: [alpha] }, shapes }, 'orbit').map(rows);
    },
  };
}

defineKernels(
  native(ATTENTION, 'Attention', 'native: softmax(alpha · q · kᵀ + mask) · v by heads, a few rows of scores at a time'),
  native(ATTENTION_GRADIENT, 'AttentionGrad', 'native: its gradients by q, k and v from the scores computed again'),
);
