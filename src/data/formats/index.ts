export { fromArrow } from './arrow/index.js';
export { listClassFolder, type ClassFolder, type ClassOptions } from './class-folder.js';
export { fromCsv, type CsvOptions } from './csv/index.js';
export type { FileElementOptions } from './file-elements.js';
export { fromImageFolder, fromImages, type ImageFolderOptions, type ImageOptions } from './images/index.js';
export { inspectData, type DataSummary } from './inspect/index.js';
export { iris, irisSpecies, type IrisExample } from './iris.js';
export { fromJsonLines, type JsonLinesOptions } from './json-lines/index.js';
export { fromNpy, fromNpz, readNpy, readNpz, type NpyRules } from './npy/index.js';
export { fromParquet } from './parquet/index.js';
export { fromSafetensors, readSafetensors } from './safetensors/index.js';
export type { ColumnRules, Columns, ColumnSpec, ColumnType, FromTable, TableBatch, TableOptions, TableRow } from './table/index.js';
export {
  byteTokenizer,
  charTokenizer,
  fromDocuments,
  fromTextLines,
  loadTokenizer,
  sonnets,
  tokenBlocks,
  type TextOptions,
  type Tokenizer,
} from './text/index.js';
export { fromTfExamples, fromTfSequenceExamples, type TfExamplesOptions, type TfSequenceExamplesOptions } from './tf-examples/index.js';
export { fromWav, fromWavFolder, readWav, type Sound, type WavOptions } from './wav/index.js';
