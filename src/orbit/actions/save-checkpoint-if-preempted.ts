/** Saves a checkpoint when the platform is about to stop the process. */
import { constants } from 'node:os';
import { UsageError } from '../../errors.js';
import type { CheckpointManagerLike } from '../checkpoint-manager-like.js';
import type { ActionObject, GlobalStep, Output } from '../types.js';

/** Says whether the process was asked to stop. */
export interface PreemptionSignalSource {
  /** Name of the signal that arrived, such as `SIGTERM`; null if none has. */
  readonly received: string | null;
  /** Starts to listen. Called once. */
  start(): void;
  /** Stops to listen. */
  stop(): void;
}

/** Listens for signals of the operating system; while it does, they do not end the process. Default: SIGTERM. */
export function processSignals(signals: readonly NodeJS.Signals[] = ['SIGTERM']): PreemptionSignalSource {
  let received: string | null = null;
  const onSignal = (signal: string): void => {
    received ??= signal;
  };
  return {
    get received() {
      return received;
    },
    start() {
      for (const signal of signals) process.on(signal, onSignal);
    },
    stop() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

/** Parts and settings of a {@link SaveCheckpointIfPreempted}. */
export interface SaveCheckpointIfPreemptedOptions {
  /** Saves. */
  checkpointManager: CheckpointManagerLike;
  /** Says whether the process was asked to stop. Default: SIGTERM of the operating system. */
  signalSource?: PreemptionSignalSource | null;
  /** Number in the checkpoint's name; a counter is read when saving. Default: the manager's own count. */
  checkpointNumber?: GlobalStep | number | null;
  /** Go on after the save instead of ending the process. Default false. */
  keepRunningAfterSave?: boolean | null;
  /** Ends the process. Default: exit with 128 + the signal's number, as a shell reports it (143 for SIGTERM). May throw instead. */
  exit?: ((signal: string) => void) | null;
}

/**
 * A train action: if the process was asked to stop, it saves a checkpoint at this step boundary, whatever the interval, and
 * ends the process.
 */
export class SaveCheckpointIfPreempted implements ActionObject {
  readonly #manager: CheckpointManagerLike;
  readonly #source: PreemptionSignalSource;
  readonly #number: GlobalStep | number | null;
  readonly #keepRunning: boolean;
  readonly #exit: (signal: string) => void;
  #isSaved = false;

  /** Only keeps its parts; {@link create} or {@link start} begins to listen. */
  constructor(options: SaveCheckpointIfPreemptedOptions) {
    if (!options.checkpointManager) throw new UsageError('`SaveCheckpointIfPreempted` needs a `checkpointManager`.');
    this.#manager = options.checkpointManager;
    this.#source = options.signalSource ?? processSignals();
    this.#number = options.checkpointNumber ?? null;
    this.#keepRunning = options.keepRunningAfterSave ?? false;
    this.#exit = options.exit ?? exitAfterSignal;
  }

  /** Makes one, starts to listen and restores the newest checkpoint if there is one. */
  static async create(options: SaveCheckpointIfPreemptedOptions): Promise<SaveCheckpointIfPreempted> {
    const action = new SaveCheckpointIfPreempted(options);
    await action.start();
    return action;
  }

  /** Starts to listen and restores the newest checkpoint if there is one. */
  async start(): Promise<void> {
    this.#source.start();
    if (this.#manager.latestCheckpoint !== null) await this.#manager.restoreOrInitialize();
  }

  /** Stops to listen. */
  stop(): void {
    this.#source.stop();
  }

  async run(_output?: Output): Promise<void> {
    const signal = this.#source.received;
    if (signal === null || this.#isSaved) return;
    this.#isSaved = true;
    await this.#manager.sync();
    const checkpointNumber = typeof this.#number === 'object' ? this.#number?.value : this.#number;
    await this.#manager.save({ checkpointNumber, checkInterval: false });
    if (!this.#keepRunning) this.#exit(signal);
  }
}

function exitAfterSignal(signal: string): void {
  process.exit(128 + (constants.signals[signal as NodeJS.Signals] ?? 0));
}
