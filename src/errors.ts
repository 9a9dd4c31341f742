/**
 * The errors that orbit-ts throws on purpose. Each class is something a caller may want to catch; each message says what
 * was wrong, where, what was expected and the likely fix.
 */

/** Base class of every error that orbit-ts throws on purpose. `cause` holds the underlying error where there is one. */
export class OrbitError extends Error {
  override name = 'OrbitError';
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

/** A configuration that cannot be used: unknown key, wrong type, broken restriction. `path` is the dotted config path. */
export class ConfigError extends OrbitError {
  override name = 'ConfigError';
  /** Dotted path of the field at fault, such as `trainer.train_steps`; empty when the error is about the whole config. */
  readonly path: string;
  constructor(message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, options);
    this.path = options.path ?? '';
  }
}

/** A call that the API does not allow: missing part, bad argument, wrong order of calls. */
export class UsageError extends OrbitError {
  override name = 'UsageError';
}

/** A checkpoint that cannot be written, found, read or matched. */
export class CheckpointError extends OrbitError {
  override name = 'CheckpointError';
}

/** Input data that cannot be found, read or parsed. */
export class DataError extends OrbitError {
  override name = 'DataError';
}

/** A function that cannot be compiled. `op` names the kernel or API call at fault. */
export class TraceError extends OrbitError {
  override name = 'TraceError';
  /** Name of the tfjs kernel or API call that cannot be compiled; empty when no single one is at fault. */
  readonly op: string;
  constructor(message: string, options: { op?: string; cause?: unknown } = {}) {
    super(message, options);
    this.op = options.op ?? '';
  }
}

/** Training that cannot go on: the loss is not a number or blew up too often. */
export class TrainingError extends OrbitError {
  override name = 'TrainingError';
}

/** A runner mode that is known but not implemented, or not known at all. */
export class NotImplementedModeError extends OrbitError {
  override name = 'NotImplementedModeError';
}
