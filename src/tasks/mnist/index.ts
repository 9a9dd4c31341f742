/** MNIST: handwritten digits. */
export { mnistTask, type MnistTaskConfig } from './config.js';
export { mnistCnn, mnistMlp } from './experiments.js';
export { MnistTask } from './task.js';
