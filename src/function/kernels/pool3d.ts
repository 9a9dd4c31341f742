/** 3-D pooling and its gradients. */
import { rows } from '../graph/lowering.js';
import { pool3DInfo } from './conv-info.js';
import { defineKernels } from './define.js';
import { avgPool, inFloat, maxPool } from './pool-forward.js';
import { avgPoolGradient, lastMaxPoolGradient } from './pool-gradient.js';
import { NAN_LIMIT, nativePooling } from './pool-native.js';
import { fitsGradient, gradientOf, imageResult, isEmpty, window3D } from './window.js';

defineKernels(
  {
    kernel: 'MaxPool3D',
    form: 'MaxPool in NCDHW',
    limits: NAN_LIMIT,
    infer: ({ x }, attrs) => ({ dtype: 'float32', shape: pool3DInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => {
      const w = window3D(pool3DInfo(x!.shape, attrs));
      if (isEmpty(w)) return rows(g.filled(0, call.outputs[0]!.shape, 'float32'));
      const native = nativePooling(g, 'MaxPool3D', [x!], x!, w, call.outputs[0]!.shape, call.outputs[0]!.shape);
      return native ?? imageResult(g, maxPool(g, inFloat(g, x!, w), w, -Infinity), 5, w.channelsFirst);
    },
  },
  {
    kernel: 'AvgPool3D',
    form: 'AveragePool in NCDHW, padding not counted',
    infer: ({ x }, attrs) => ({ dtype: 'float32', shape: pool3DInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => {
      const w = window3D(pool3DInfo(x!.shape, attrs));
      if (isEmpty(w)) return rows(g.filled(0, call.outputs[0]!.shape, 'float32'));
      const native = nativePooling(g, 'AvgPool3D', [x!], x!, w, call.outputs[0]!.shape, call.outputs[0]!.shape);
      return native ?? imageResult(g, avgPool(g, inFloat(g, x!, w), w, 0), 5, w.channelsFirst);
    },
  },
  {
    kernel: 'MaxPool3DGrad',
    form: 'by MaxPool indices and ScatterElements, the image read backwards (tfjs picks the last of equal maxima)',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input }, attrs) => {
      const w = window3D(pool3DInfo(input!.shape, { ...attrs, dataFormat: undefined }));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      const native = fitsGradient(dy!, w)
        ? nativePooling(g, 'MaxPool3DGrad', [dy!, input!], input!, w, dy!.shape, input!.shape)
        : undefined;
      return native ?? imageResult(g, lastMaxPoolGradient(g, gradientOf(g, dy!, w), inFloat(g, input!, w), w), 5, false);
    },
  },
  {
    kernel: 'AvgPool3DGrad',
    form: 'Col2Im',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input }, attrs) => {
      const w = window3D(pool3DInfo(input!.shape, { ...attrs, dataFormat: undefined }));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      const native = fitsGradient(dy!, w) ? nativePooling(g, 'AvgPool3DGrad', [dy!], input!, w, dy!.shape, input!.shape) : undefined;
      return native ?? imageResult(g, avgPoolGradient(g, gradientOf(g, dy!, w), w), 5, false);
    },
  },
);
