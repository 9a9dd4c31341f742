import { CheckpointError } from '../errors.js';

/** A checkpoint that is not there, incomplete or damaged, as opposed to one that does not fit the objects. An older one may do. */
export class DamagedCheckpointError extends CheckpointError {}
