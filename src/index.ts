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
