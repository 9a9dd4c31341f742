/** The table of kernels that can be compiled: importing it fills it. */
import './binary.js';
import './collective.js';
import './conv.js';
import './create.js';
import './gather.js';
import './matmul.js';
import './normalization.js';
import './conv3d.js';
import './depthwise.js';
import './dilation.js';
import './lrn.js';
import './rearrange.js';
import './resize.js';
import './warp.js';
import './pool.js';
import './random.js';
import './reduce.js';
import './select.js';
import './shape.js';
import './unary.js';

export { inputsOf, kernelDefinition, kernelDefinitions, type KernelDefinition } from './define.js';
export { unsupportedKernels } from './unsupported.js';
