export { TfExampleBuilder, decodeExample, encodeExample, type Example, type Feature } from './example.js';
export { parseExample, type FeatureSpec, type ParsedExample } from './parse.js';
export { recordAt, tfRecords, type TfRecordOptions } from './read.js';
export { pickDatasetFn, writeSmallDataset, type DatasetFn } from './file-types.js';
export { writeTfRecords } from './write.js';
