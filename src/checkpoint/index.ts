/** Checkpoints: state that outlives the process. */
export {
  isStateful,
  isStateTensor,
  type StateArray,
  type Stateful,
  type StateDict,
  type StateDType,
  type StateTensor,
  type StateValue,
} from './state.js';
export { Checkpoint, type ItemOptions, type RestoreOptions, type RestoreResult } from './checkpoint.js';
export { type CheckpointItems, type Counter } from './items.js';
export { writeSnapshot, type CheckpointSnapshot, type Snapshot } from './write-snapshot.js';
export { DamagedCheckpointError } from './damaged.js';
export { CheckpointManager } from './manager.js';
export { type CheckpointManagerOptions } from './manager-options.js';
export { type HeldVariables, type VariableHolder } from './holder.js';
export { anyOf, everyNHours, everyNSteps, type PreservationPolicy } from './retention.js';
export { keepAny, keepBest, keepEveryNHours, keepEveryNSteps, keepLast, type RetentionPolicy } from './keep.js';
export { anyTrigger, everyEpochs, everySeconds, everySteps, type SaveMoment, type SaveTrigger } from './triggers.js';
export { type ManagedCheckpoint } from './state-file.js';
export { checkpointsIterator, latestCheckpoint, type WatchOptions } from './watch.js';
export { readGlobalStep, readMetadata, removeCheckpoints } from './directory-tools.js';
export { readSafetensors } from './safetensors.js';
export { writeSafetensors, type WrittenFile } from './write-safetensors.js';
export { loadWeights, type LoadedWeights, type LoadWeightsOptions } from './weights.js';
export { castTensor, transposeTensor } from './layout.js';
export { surveyCheckpoints, verifyCheckpoint, type SurveyedCheckpoint } from './survey.js';
export { compareCheckpoints, type CheckpointDifference, type TensorDifference } from './compare.js';
export { readWeights, writeWeights } from './convert.js';
export { readManifest, type FileEntry, type Manifest } from './manifest.js';
export { type Json } from './encoding.js';
export { type CheckpointMetadata } from './manifest.js';
export { commitDirectory, removeLeftovers, replaceTextFile, writeNewFile, type CommitOptions } from './files.js';
export { lockDirectory, type DirectoryLock } from './lock.js';
export { type CheckpointLogger } from './logger.js';
