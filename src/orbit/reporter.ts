/** What a controller tells about its work, and the reporter that turns it into lines of text. */
import { inspect } from 'node:util';
import type { Output } from './types.js';
import { isDictionary } from './values.js';

/** Hears what a controller does. Every method is optional; none may throw. Steps are values of the global step. */
export interface ControllerReporter {
  /** `train` was called. */
  trainStart?(event: { step: number; targetStep: number }): void;
  /** An inner training loop ended. `output` has plain values and no speeds; `samplesPerSecond` is null if the size of a step is not known. */
  trainLoopEnd?(event: { step: number; stepsPerSecond: number; samplesPerSecond: number | null; output: Output }): void;
  /** An evaluation starts; `steps` is -1 for all the data. */
  evaluationStart?(event: { step: number; steps: number }): void;
  /** An evaluation ended; `stepsPerSecond` is null if the number of steps was not given. */
  evaluationEnd?(event: { step: number; seconds: number; stepsPerSecond: number | null; output: Output }): void;
  /** A restore starts; `path` is null if the newest checkpoint, if any, will be restored. */
  restoreStart?(event: { path: string | null }): void;
  /** A checkpoint was restored. */
  restored?(event: { path: string }): void;
  /** A new controller begins from a checkpoint. */
  resumed?(event: { path: string }): void;
  /** A checkpoint is being written in the background. */
  checkpointSaving?(event: { path: string; step: number }): void;
  /** A checkpoint is complete on disk. */
  checkpointSaved?(event: { path: string; step: number }): void;
  /** An action or a limit ended the training before its last step. */
  stopped?(event: { step: number; reason: string }): void;
  /** `train` or `trainAndEvaluate` waits for background saves. */
  checkpointSync?(): void;
  /** Something is wrong that training survives. */
  warning?(message: string): void;
}

/** Takes lines of text. */
export interface LineLogger {
  /** A line about normal work. */
  info(line: string): void;
  /** A line about something wrong. */
  warning(line: string): void;
}

/** Where a {@link LineReporter} writes. */
export interface LineReporterOptions {
  /** Gets each line for people. Default: standard output. */
  print?: ((line: string) => void) | null;
  /** Gets the same lines, and those for the log only. Default: warnings go to standard error, the rest nowhere. */
  logger?: LineLogger | null;
}

/** Reports in lines such as `train | step:     10 | steps/sec:  812.3 | output: { loss: 0.25 }`. */
export class LineReporter implements ControllerReporter {
  readonly #print: (line: string) => void;
  readonly #logger: LineLogger;

  constructor(options: LineReporterOptions = {}) {
    this.#print = options.print ?? ((line) => process.stdout.write(`${line}\n`));
    this.#logger = options.logger ?? { info() {}, warning: (line) => process.stderr.write(`${line}\n`) };
  }

  trainStart(event: { step: number; targetStep: number }): void {
    this.#tell(fields('train', event.step, `training until step ${event.targetStep}...`));
  }

  trainLoopEnd(event: { step: number; stepsPerSecond: number; samplesPerSecond?: number | null; output: Output }): void {
    const samples = event.samplesPerSecond ?? null;
    const speed = [`steps/sec: ${rate(event.stepsPerSecond)}`, ...(samples === null ? [] : [`samples/sec: ${rate(samples)}`])];
    this.#tell(fields('train', event.step, ...speed, `output: ${formatOutput(event.output)}`));
  }

  evaluationStart(event: { step: number; steps: number }): void {
    const extent = event.steps > 0 ? `${event.steps} steps of evaluation` : 'complete evaluation';
    this.#tell(fields(' eval', event.step, `running ${extent}...`));
  }

  evaluationEnd(event: { step: number; seconds: number; stepsPerSecond: number | null; output: Output }): void {
    const speed = event.stepsPerSecond === null ? [] : [`steps/sec: ${rate(event.stepsPerSecond)}`];
    const time = `eval time: ${rate(event.seconds)} sec`;
    this.#tell(fields(' eval', event.step, ...speed, time, `output: ${formatOutput(event.output)}`));
  }

  restoreStart(event: { path: string | null }): void {
    this.#tell(event.path === null ? 'restoring or initializing model...' : `restoring model from ${event.path}...`);
  }

  restored(event: { path: string }): void {
    this.#tell(`restored model from ${event.path}.`);
  }

  resumed(event: { path: string }): void {
    this.#tell(`restored from checkpoint: ${event.path}`);
  }

  checkpointSaving(event: { path: string; step: number }): void {
    this.#tell(`saving checkpoint to ${event.path}...`);
  }

  checkpointSaved(event: { path: string; step: number }): void {
    this.#tell(`saved checkpoint to ${event.path}.`);
  }

  stopped(event: { step: number; reason: string }): void {
    this.#tell(fields('train', event.step, `stopped: ${event.reason}`));
  }

  checkpointSync(): void {
    this.#logger.info('waiting for checkpoints that are being written...');
  }

  warning(message: string): void {
    this.#logger.warning(message);
  }

  #tell(line: string): void {
    this.#logger.info(line);
    this.#print(line);
  }
}

/** Longest line of an output that stays on the line of its event. */
const OUTPUT_COLUMNS = 80;

/**
 * An output as text: on one line if it fits in 80 columns, else on lines of its own, indented by four blanks. Numbers are
 * shown with up to 8 significant digits, which is all that 32-bit values have.
 */
export function formatOutput(output: Output): string {
  const text = inspect(shorten(output), { depth: 8, breakLength: OUTPUT_COLUMNS, compact: 3, maxArrayLength: 32, sorted: false });
  return text.includes('\n') ? `\n    ${text.replaceAll('\n', '\n    ')}` : text;
}

function shorten(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(8));
  if (Array.isArray(value)) return value.map(shorten);
  if (isDictionary(value)) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, shorten(entry)]));
  return value;
}

function fields(tag: string, step: number, ...rest: string[]): string {
  return [tag, `step: ${step.toString().padStart(6)}`, ...rest].join(' | ');
}

function rate(value: number): string {
  return value.toFixed(1).padStart(6);
}
