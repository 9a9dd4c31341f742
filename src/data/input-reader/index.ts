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
export { InputReader, type InputPipeline, type InputReaderOptions, type StageFn } from './input-reader.js';
