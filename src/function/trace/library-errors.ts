/** What TensorFlow.js throws inside a traced function, said so that its user knows what to do. */
import { OrbitError } from '../../errors.js';
import type { Trace } from './trace.js';

/** An error of TensorFlow.js, and what to say in its place. */
interface Known {
  readonly message: RegExp;
  readonly op: string;
  /** @param found what the groups of `message` matched. */
  readonly advice: (...found: string[]) => string;
}

const KNOWN: readonly Known[] = [
  {
    message: /^Tensor is disposed\.$/,
    op: 'dispose',
    advice: () =>
      'A tensor was used after it was disposed, by dispose() or at the end of the tf.tidy() that made it. Return it from that tf.tidy(), or leave its dispose() out: ' +
      'the tensors that a compiled function makes need none.',
  },
  {
    message: /gradient function not found for (Conv3DBackpropInputV2)\.$/,
    op: 'Conv3DBackpropInputV2',
    advice: () =>
      'TensorFlow.js has no gradient of transposed 3-D convolutions (conv3dTranspose). Repeat the pixels along each axis with tf.gather(x, indices, axis) in a layer of your own, then convolve with tf.layers.conv3d().',
  },
  {
    message: /gradient function not found for (\w+)\.$/,
    op: 'grad',
    advice: (kernel) =>
      `TensorFlow.js has no gradient of ${kernel}. Keep it off the way from the variables to the loss, or give it a gradient of its own with tf.customGrad().`,
  },
  {
    message: /dilation rates greater than 1 are not yet supported in gradients\. Got dilations '([\d,]+)'/,
    op: 'Conv2D',
    advice: (dilations) =>
      `TensorFlow.js has no gradient of dilated convolutions (here with dilations ${dilations!.replaceAll(',', ', ')}). Write the filter without dilation between ` +
      'tf.spaceToBatchND() and tf.batchToSpaceND() with the dilations as block shape, or use strides or a larger filter.',
  },
  {
    message: /CAUSAL padding mode in conv1dWithBias is not implemented/,
    op: 'conv1d',
    advice: () =>
      "TensorFlow.js does not have padding: 'causal' of conv1d layers. Pad the start yourself, with tf.pad(x, [[0, 0], [kernelSize - 1, 0], [0, 0]]) in a layer of your own, and convolve with padding: 'valid'.",
  },
  {
    message: /^Error in (resizeBilinear|resizeNearestNeighbor): x must be rank 3 or 4, but got rank 1\./,
    op: 'resizing',
    advice: (op) =>
      `The layer tf.layers.resizing() of TensorFlow.js fails inside models. Call tf.image.${op}() in a layer of your own, or use tf.layers.upSampling2d() for whole factors.`,
  },
  {
    message: /^Reshape\([^]* must match the product of shape 1,\d+(?:,1)+\n[^]* in gradient of ([^,\n]+)/,
    op: 'FusedBatchNorm',
    advice: (layer) =>
      `TensorFlow.js has no gradient of a batch normalization whose axis is not the last one (${layer}). Move the axis to the end with tf.layers.permute(), ` +
      'normalize with the default axis, and move it back.',
  },
];

/** The error to throw in the place of one that a traced function threw: itself, unless it is one of TensorFlow.js's that is known. */
export function explained(error: unknown, trace: Pick<Trace, 'error'>): unknown {
  if (!(error instanceof Error)) return error;
  for (const { message, op, advice } of KNOWN) {
    const found = message.exec(error.message);
    // Errors of ours name their function and line already, but for what TensorFlow.js asked of a kernel.
    if (found === null || (error instanceof OrbitError && op !== 'FusedBatchNorm')) continue;
    return trace.error(op, advice(...found.slice(1)), error.stack, error);
  }
  return error;
}
