/** Ready-made actions. */
export { type Condition, ConditionalAction } from './conditional-action.js';
export { ExportFileManager, type ExportFileManagerOptions } from './export-file-manager.js';
export { type Exportable, type ExportOptions, ExportSavedModel } from './export-saved-model.js';
export { JSONPersistedValue } from './json-persisted-value.js';
export { type MetricSource, NewBestMetric, type NewBestMetricOptions } from './new-best-metric.js';
export {
  type PreemptionSignalSource,
  processSignals,
  SaveCheckpointIfPreempted,
  type SaveCheckpointIfPreemptedOptions,
} from './save-checkpoint-if-preempted.js';
