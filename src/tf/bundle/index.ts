// Entry of the tfjs bundle `orbit-ts/tf`: core ops, gradients, chained methods, layers and the cpu backend, one copy.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import * as layers from '@tensorflow/tfjs-layers';
import { installBackend } from './backend.js';
import { installComparisons } from './comparisons.js';
import { initScope } from './init-scope.js';
import { installStateful } from './stateful.js';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
export { initScope } from './init-scope.js';
export { stepRandom } from './random.js';
export { recurrence } from './recurrence.js';

installBackend();
installComparisons();
installStateful();

interface LayerWeight {
  readonly constraint?: object | null;
  readonly val: { constraint?: object };
}

// Weights are initialised outside the step that first uses their layer, so that eager and compiled steps start alike. The variable
// itself knows its constraint: the optimizers, which know variables alone, apply it after an update.
const layer = layers.layers.Layer.prototype as unknown as { addWeight(...args: unknown[]): LayerWeight };
const { addWeight } = layer;
layer.addWeight = function (...args) {
  const weight = initScope(() => addWeight.apply(this, args));
  if (weight.constraint) weight.val.constraint = weight.constraint;
  return weight;
};
