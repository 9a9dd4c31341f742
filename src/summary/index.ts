/**
 * Summaries as TensorBoard event files. Importing this room makes them what summary managers write if they are not told
 * otherwise.
 */
import { setDefaultSummaryWriterFactory } from '../orbit/index.js';
import { eventFileWriter } from './event-file-writer.js';

export { eventFileWriter, type EventFileWriter } from './event-file-writer.js';
export { CsvLogger } from './csv-logger.js';
export { JsonLinesLogger } from './json-lines-logger.js';
export { readEvents, type EventValue, type SummaryEvent } from './read-events.js';
export { createSummaryManager } from './create-summary-manager.js';

setDefaultSummaryWriterFactory(eventFileWriter);
