// Entry of the tfjs bundle `orbit-ts/tf`: core ops, gradients, chained methods, layers and the cpu backend, one copy.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import { installBackend } from './backend.js';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
export { stepRandom } from './random.js';

installBackend();
