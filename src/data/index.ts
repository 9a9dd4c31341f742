export { dataConfig, extendDataConfig, type DataConfig, type DataConfigInput } from './config.js';
export { Dataset, type Expansion } from './dataset.js';
export type { InterleaveOptions } from './operators/expand.js';
export type { ShuffleOptions } from './operators/shuffle.js';
export { fromArrays, fromGenerator, fromItems, fromIterable, mixDatasets, range, zipDatasets, type RowOf } from './from.js';
export type { OnBadRecord } from './bad-records.js';
export { expandPaths, type Compression, type Paths } from './files/index.js';
export * from './formats/index.js';
export { readIdx, readIdxHeader, readIdxValues, type IdxHeader } from './idx.js';
export { DatasetIterator, type IteratorState } from './iterator.js';
export { mnist, type MnistExample, type MnistOptions } from './mnist.js';
export { NDArray, type DType, type DTypeArrays, type DTypeOf, type TypedArray } from './ndarray.js';
export { datasetNames, namedDataset, registerDataset, type NamedDatasetOptions, type NamedSplits } from './named/index.js';
export { checkPureFunctions } from './purity.js';
export type { PaddedShape, PaddingOptions, PadValue } from './padding.js';
export { setNoticeHandler } from './notice.js';
export type { AnyIterable, IterableOptions } from './sources/iterables.js';
export type { BatchOptions } from './sources/batch-options.js';
export type { StreamOptions } from './sources/blocks.js';
export type { CacheOptions } from './sources/groups.js';
export { positionedStage, type PositionedReader } from './sources/positioned.js';
export type { Maybe, PositionValue } from './stage.js';
export type { ValueRules } from './value-rules.js';
export { concatenateBatches, rowOf, stack, type Batched, type Leaf, type Unbatched } from './structure.js';
export { importInWorkers, inWorker, InWorker, type WorkerContext, type WorkerFunction, type WorkerOptions } from './workers/index.js';
export { RandomStream } from './random.js';
export {
  TfExampleBuilder,
  TfExampleFeatureKeyBase,
  decodeExample,
  decodeSequenceExample,
  encodeExample,
  encodeSequenceExample,
  parseExample,
  parseSequenceExample,
  pickDatasetFn,
  tfRecords,
  writeSmallDataset,
  writeTfRecords,
  type DatasetFn,
  type Example,
  type Feature,
  type FeatureListSpec,
  type FeatureSpec,
  type ParsedExample,
  type ParsedSequenceExample,
  type SequenceExample,
  type SequenceSpecs,
  type TfRecordOptions,
} from './tfrecord/index.js';
export {
  calculateBatchSizes,
  CombinationDatasetInputReader,
  inputReaderGenerator,
  type CombinationParams,
  type CombinationReaderOptions,
  type PseudoLabelData,
  type StageFn,
  createCombineFn,
  InputReader,
  matchFiles,
  type InputPipeline,
  type InputReaderOptions,
  type MixingParams,
} from './input-reader/index.js';
