/** Kernels that cannot be compiled at all, and why. */

const valueDependent = 'its output shape depends on values, which a traced function does not have';
const strings = 'it works on strings';
const complexNumbers = 'it works on complex numbers';
const noBackend = 'it is a name that no op of TensorFlow.js calls on the cpu';

const reasons: Readonly<Record<string, string>> = {
  NonMaxSuppressionV3: valueDependent,
  NonMaxSuppressionV4: valueDependent,
  NonMaxSuppressionV5: valueDependent,
  Unique: valueDependent,
  SparseFillEmptyRows: valueDependent,
  SparseSegmentMean: valueDependent,
  SparseSegmentSum: valueDependent,
  SparseReshape: 'it works on shapes that are given as values, which a traced function does not have',
  RaggedGather: valueDependent,
  RaggedRange: valueDependent,
  RaggedTensorToTensor: valueDependent,
  StaticRegexReplace: strings,
  StringNGrams: strings,
  StringSplit: strings,
  StringToHashBucketFast: strings,
  Complex: complexNumbers,
  Real: complexNumbers,
  Imag: complexNumbers,
  ComplexAbs: complexNumbers,
  FFT: complexNumbers,
  IFFT: complexNumbers,
  Draw: 'it paints on a canvas',
  FromPixels: 'it reads a canvas',
  LowerBound: noBackend,
  MatrixBandPart: noBackend,
  Pool: noBackend,
  UpperBound: noBackend,
};

/** A sentence that says why a kernel cannot be compiled and what to do, or undefined when it merely is not yet. */
export function unsupportedReason(kernel: string): string | undefined {
  const reason = reasons[kernel];
  return reason && `The tfjs kernel ${kernel} cannot be compiled: ${reason}. Call it outside the compiled function, or run eagerly.`;
}

/** The list for docs/ops.md. */
export function unsupportedKernels(): [kernel: string, reason: string][] {
  return Object.entries(reasons);
}
