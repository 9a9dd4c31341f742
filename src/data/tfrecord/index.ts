export { TfExampleBuilder, decodeExample, encodeExample, type Example, type Feature } from './example.js';
export { parseExample, type FeatureSpec, type ParsedExample } from './parse.js';
export { TfExampleFeatureKeyBase } from './feature-keys.js';
export { parseSequenceExample, type FeatureListSpec, type ParsedSequenceExample, type SequenceSpecs } from './parse-sequence.js';
export { decodeSequenceExample, encodeSequenceExample, hasFeatureLists, type SequenceExample } from './sequence-example.js';
export { recordAt } from './record-at.js';
export { tfRecords, type TfRecordOptions } from './read.js';
export { pickDatasetFn, writeSmallDataset, type DatasetFn } from './file-types.js';
export { writeTfRecords } from './write.js';
