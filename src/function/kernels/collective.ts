/** The sum over replicas: a cut in the program, not a node of it. */
import { TraceError } from '../../errors.js';
import { ALL_REDUCE } from '../graph/segments.js';
import { defineKernels } from './define.js';

defineKernels({
  kernel: ALL_REDUCE,
  form: 'a host call between two graphs; nothing with one replica',
  infer: ({ x }) => x!,
  lower: () => {
    throw new TraceError('A sum over replicas was left inside a graph.', { op: ALL_REDUCE });
  },
});
