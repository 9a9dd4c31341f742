/** What a person sees while a run goes on: one line that is rewritten on a terminal, plain lines elsewhere. */
import type { ControllerReporter, Output } from '../orbit/index.js';
import { count, duration, logs, rate } from './format.js';

/** Where progress is written. */
export interface ProgressOutput {
  /** Writes text as it is. */
  write(text: string): unknown;
  /** Whether the last line can be rewritten. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

/** Settings of a {@link Progress}. */
export interface ProgressOptions {
  /** Where to write. */
  output: ProgressOutput;
  /** Step at which training ends. */
  trainSteps: number;
  /** Examples in one step. */
  batchSize: number;
  /** The step at this moment; read between two loops to move the line of a terminal. */
  currentStep: () => number;
  /** Lines before the first one. */
  headline?: string;
  /** Milliseconds between two plain lines about training. Default 1000. */
  plainIntervalMilliseconds?: number;
}

const REDRAW_MILLISECONDS = 200;

/** Tells the events of a controller to a person. */
export class Progress implements ControllerReporter {
  readonly #options: ProgressOptions;
  #isTraining = false;
  #loop: { step: number; stepsPerSecond: number; output: Output; atMilliseconds: number } | null = null;
  #lastPlain = -Infinity;
  #lastRedraw = -Infinity;
  #timer: NodeJS.Timeout | null = null;
  #lineIsOpen = false;
  #hasHeadline = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.#clear();
    this.#headlineFirst();
    this.#options.output.write(`${text}\n`);
    if (this.#isTraining) this.#redraw();
  }

  trainStart(): void {
    this.#isTraining = true;
    if (!this.#options.output.isTTY) return;
    this.#timer ??= setInterval(() => this.#redraw(), REDRAW_MILLISECONDS).unref();
    this.#redraw();
  }

  trainLoopEnd(event: { step: number; stepsPerSecond: number; output: Output }): void {
    const now = performance.now();
    this.#loop = { ...event, atMilliseconds: now };
    if (this.#options.output.isTTY) {
      if (now - this.#lastRedraw >= REDRAW_MILLISECONDS) this.#redraw(); // else the timer does
      return;
    }
    const interval = this.#options.plainIntervalMilliseconds ?? 1000;
    if (now - this.#lastPlain < interval && event.step < this.#options.trainSteps) return;
    this.#lastPlain = now;
    this.#headlineFirst();
    this.#options.output.write(`${this.#text(event.step)}\n`);
  }

  evaluationStart(): void {
    this.#isTraining = false;
    this.#clear();
  }

  evaluationEnd(event: { step: number; seconds: number; output: Output }): void {
    const { steps_per_second: _speed, ...results } = event.output;
    this.line(`step ${count(event.step)}  evaluation: ${logs(results)}  (${duration(event.seconds)})`);
  }

  resumed(event: { path: string }): void {
    this.line(`Going on from ${event.path}.`);
  }

  checkpointSaved(event: { path: string; step: number }): void {
    this.line(`step ${count(event.step)}  saved ${event.path}`);
  }

  stopped(event: { step: number; reason: string }): void {
    this.line(`step ${count(event.step)}  stopped: ${event.reason}`);
  }

  warning(message: string): void {
    this.line(`Warning: ${message}`);
  }

  /** Ends the line that is rewritten. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#isTraining = false;
    this.#clear();
  }

  #headlineFirst(): void {
    if (!this.#hasHeadline && this.#options.headline) this.#options.output.write(`${this.#options.headline}\n\n`);
    this.#hasHeadline = true;
  }

  #text(step: number): string {
    const { trainSteps, batchSize } = this.#options;
    const position = `step ${count(step).padStart(count(trainSteps).length)}/${count(trainSteps)}`;
    if (this.#loop === null) return `${position}  ${step === 0 ? 'compiling' : ''}`.trimEnd();
    const { output, stepsPerSecond } = this.#loop;
    const left = step < trainSteps ? `  ${duration((trainSteps - step) / stepsPerSecond)} left` : '';
    return `${position}  ${logs(output)}  ${rate(stepsPerSecond)} steps/s${batchSize > 0 ? `  ${rate(stepsPerSecond * batchSize)} samples/s` : ''}${left}`;
  }

  #redraw(): void {
    const { output, currentStep } = this.#options;
    if (!output.isTTY || !this.#isTraining) return;
    const width = (output.columns || 80) - 1; // some terminals say 0
    output.write(`\r\x1b[2K${this.#text(currentStep()).slice(0, width)}`);
    this.#lineIsOpen = true;
    this.#lastRedraw = performance.now();
  }

  #clear(): void {
    if (this.#lineIsOpen) this.#options.output.write('\r\x1b[2K');
    this.#lineIsOpen = false;
  }
}
