/** Models built of tfjs layers. */
export { buildConvClassifier, type ConvClassifierOptions } from './conv-classifier.js';
export { buildDenseClassifier, type DenseClassifierOptions } from './dense-classifier.js';
