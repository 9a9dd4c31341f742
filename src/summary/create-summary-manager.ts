import { SummaryManager, type GlobalStep } from '../orbit/index.js';
import { eventFileWriter } from './event-file-writer.js';

/**
 * A summary manager that writes event files below `directory`; null makes one that does nothing.
 * @param options.globalStep gives the step of what is written; default: the counter that the process uses now
 */
export function createSummaryManager(
  directory: string | null,
  options: { globalStep?: Pick<GlobalStep, 'value'> | null } = {},
): SummaryManager {
  return new SummaryManager(directory, { writerFactory: eventFileWriter, globalStep: options.globalStep ?? null });
}
