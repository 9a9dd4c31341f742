/** The controller's two summary managers and the scopes in which inner loops run. */
import type { ControllerOptions } from './controller-options.js';
import type { RunLogger } from './run-logger.js';
import { SummaryManager } from './summary-manager.js';
import { setDefaultSummaryStep, withSummaryScope } from './summary-scope.js';
import { defaultSummaryWriterFactory, type SummaryManagerInterface } from './summary-writer.js';
import type { GlobalStep, Output } from './types.js';

/** Chooses the summary managers of a controller and writes through them. */
export class ControllerSummaries {
  /** Null without a trainer. */
  readonly train: SummaryManagerInterface | null;
  /** Null without an evaluator. The same object as {@link train} where both share a directory. */
  readonly eval: SummaryManagerInterface | null;
  readonly #globalStep: GlobalStep;
  readonly #interval: number | null;
  readonly #own: SummaryManager[] = [];
  readonly #loggers: readonly RunLogger[];
  /** The flush that runs while training goes on; a failure is thrown when it is waited for. */
  #flushing: Promise<void> | null = null;

  constructor(options: ControllerOptions) {
    const { globalStep, trainer, evaluator } = options;
    this.#globalStep = globalStep;
    this.#interval = options.summaryInterval ?? null;
    this.#loggers = [...(options.loggers ?? [])];
    const open = (directory: string | null): SummaryManagerInterface => {
      const manager = new SummaryManager(directory, { writerFactory: options.summaryWriterFactory, globalStep });
      this.#own.push(manager);
      return manager;
    };
    const trainDirectory = options.summaryDir ?? null;
    const evalDirectory = options.evalSummaryDir ?? trainDirectory;
    this.train = trainer ? (options.summaryManager ?? open(trainDirectory)) : null;
    // One directory means one event file; this also holds where both are unset, as in the original.
    if (!evaluator) this.eval = null;
    else if (this.train !== null && evalDirectory === trainDirectory) this.eval = this.train;
    else this.eval = options.evalSummaryManager ?? open(evalDirectory);
    setDefaultSummaryStep(globalStep);
  }

  /** Runs an inner training loop: what it records itself is written at multiples of the summary interval, else dropped. */
  aroundTrain<T>(body: () => T): T {
    const interval = this.#interval;
    const step = this.#globalStep;
    const shouldRecord = interval === null ? () => false : () => step.value % interval === 0;
    return withSummaryScope({ writer: this.train!.summaryWriter(), shouldRecord, step }, body);
  }

  /** Runs an evaluation: what it records itself is written. */
  aroundEval<T>(body: () => T): T {
    const writer = this.eval!.summaryWriter();
    return withSummaryScope({ writer, shouldRecord: () => true, step: this.#globalStep }, body);
  }

  /** Writes the results of an inner training loop. They reach the file while the next loop runs. */
  async writeTrain(output: Output): Promise<void> {
    await this.flushed();
    await this.train!.writeSummaries(output);
    await this.#log('train', output);
    const flushing = Promise.resolve(this.train!.flush());
    flushing.catch(() => undefined); // thrown by `flushed`
    this.#flushing = flushing;
  }

  /** Waits until what was written is in the files. */
  async flushed(): Promise<void> {
    const flushing = this.#flushing;
    this.#flushing = null;
    await flushing;
  }

  /** Writes the results of an evaluation. */
  async writeEval(output: Output): Promise<void> {
    await this.flushed();
    await this.eval!.writeSummaries(output);
    await this.#log('eval', output);
    await this.eval!.flush();
  }

  async #log(kind: 'train' | 'eval', values: Output): Promise<void> {
    if (this.#loggers.length === 0) return;
    const entry = { kind, step: this.#globalStep.value, wallTime: Date.now() / 1000, values };
    for (const logger of this.#loggers) await logger.log(entry);
  }

  /** Closes the loggers and the summary managers made here, also where one fails; managers that were given stay open. */
  async close(): Promise<void> {
    const closing = [
      () => this.flushed(),
      ...this.#loggers.map((l) => async () => l.close?.()),
      ...this.#own.map((m) => async () => m.close()),
    ];
    const failures: unknown[] = [];
    for (const close of closing) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}

/** The part of the package that registers event files when it is imported. Only loaded where summaries are asked for. */
const EVENT_FILES = 'orbit-ts/summary';

/** Loads what writes event files, if these options need it. Where that fails, making the summary managers says what to do. */
export async function loadEventFiles(options: ControllerOptions): Promise<void> {
  const hasOwnWriter = options.summaryWriterFactory ?? defaultSummaryWriterFactory();
  if (hasOwnWriter || !(options.summaryDir || options.evalSummaryDir)) return;
  await import(EVENT_FILES).catch(() => undefined);
}
