export { createCombineFn, type MixingParams } from './combine.js';
export { matchFiles } from './files.js';
export { InputReader, type InputPipeline, type InputReaderOptions } from './input-reader.js';
