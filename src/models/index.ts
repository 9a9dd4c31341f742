/** Models built of tfjs layers, and what models are built with. */
export {
  type Activation,
  type ActivationLayerOptions,
  exactGelu,
  gelu,
  getActivation,
  getActivationLayer,
  hardSigmoid,
  hardSwish,
  mish,
  simpleSwish,
  squaredRelu,
} from './activations.js';
export { buildConvClassifier, type ConvClassifierOptions } from './conv-classifier.js';
export { buildDenseClassifier, type DenseClassifierOptions } from './dense-classifier.js';
export { assertRank, getShapeList, safeMean } from './shapes.js';
