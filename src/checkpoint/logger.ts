/** Where the checkpoint room's messages go. */
export interface CheckpointLogger {
  /** Takes a line of information. */
  info(message: string): void;
  /** Takes a warning. */
  warn(message: string): void;
}

/** Writes warnings to standard error and says nothing else. */
export const stderrLogger: CheckpointLogger = {
  info: () => {},
  warn: (message) => process.stderr.write(`${message}\n`),
};
