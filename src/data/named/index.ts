import './built-in.js';

export { datasetNames, namedDataset, registerDataset, type NamedDatasetOptions, type NamedSplits } from './registry.js';
