export {
  calculateBatchSizes,
  CombinationDatasetInputReader,
  inputReaderGenerator,
  type CombinationParams,
  type CombinationReaderOptions,
  type PseudoLabelData,
} from './combination.js';
export { createCombineFn, type MixingParams } from './combine.js';
export { matchFiles } from './files.js';
export { InputReader } from './input-reader.js';
export type { InputPipeline, InputReaderOptions, StageFn } from './options.js';
