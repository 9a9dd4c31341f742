/** Everything of all rooms. */
export * from './errors.js';
export * from './orbit/index.js';
export * from './function/index.js';
export * from './config/index.js';
export * from './experiment/index.js';
export * from './optimization/index.js';
export * from './metrics/index.js';
export * from './data/index.js';
export * from './checkpoint/index.js';
export * from './distribute/index.js';
export * from './summary/index.js';
export * from './export/index.js';
export * from './models/index.js';
export * from './tasks/index.js';
// Names that two rooms use: the data room's are the wider ones; what holds variables is the same in both.
export type { HeldVariables } from './checkpoint/index.js';
export type { DType, PositionValue } from './data/index.js';
// The checkpoint room reads every dtype of a file, the data room those of arrays (orbit-ts/data has that one).
export { readSafetensors } from './checkpoint/index.js';
