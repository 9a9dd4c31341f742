/** Einstein summation. */
import * as tf from '#tf';
import type { DType } from '../dtype.js';
import { rows } from '../graph/lowering.js';
import { defineKernels, listOf } from './define.js';

defineKernels({
  kernel: 'Einsum',
  form: 'Einsum',
  limits: 'one or two tensors',
  infer: (inputs, { equation }) => {
    const list = listOf(inputs);
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(equation as string, list.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, list as unknown as tf.Tensor[]);
    const sizes = new Map(idDims.flatMap((dims, i) => dims.map((d, axis) => [d, list[i]!.shape[axis]!] as const)));
    const outDims = allDims.length - summedDims.length;
    const dtype = list.map((s) => s.dtype).reduce((a, b) => tf.upcastType(a, b) as DType);
    // Sums of truth values are counts.
    return {
      dtype: dtype === 'bool' && summedDims.length > 0 ? 'int32' : dtype,
      shape: Array.from({ length: outDims }, (_, d) => sizes.get(d)!),
    };
  },
  lower: (g, inputs, { equation }, call) => {
    const dtype = call.outputs[0]!.dtype;
    const computed = dtype === 'bool' ? 'int32' : dtype;
    const names = listOf(inputs).map((v) => (v.dtype === computed ? g.rows(v) : g.cast(g.rows(v), computed)));
    const out = g.op('Einsum', names, { equation: (equation as string).replace(/\s/g, '') });
    return rows(computed === dtype ? out : g.cast(out, dtype));
  },
});
