/** A file that announces the end of the machine: clusters whose notices come otherwise than by signal have a script make it. */
import { stat } from 'node:fs/promises';

const pollMilliseconds = 500;

/**
 * Aborts its signal, with the reason `preemption_file`, when `file` appears. One that is there already is left from an earlier
 * notice and counts only when it is written again.
 */
export class PreemptionFile {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(file: string) {
    const first = modified(file);
    this.#timer = setInterval(() => {
      void Promise.all([first, modified(file)]).then(([before, now]) => {
        if (now !== null && now !== before) this.#controller.abort('preemption_file');
      });
    }, pollMilliseconds);
    this.#timer.unref();
  }

  /** Aborted once the file has appeared. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }
}

/** When the file was written; null if it is not there. */
function modified(file: string): Promise<number | null> {
  return stat(file).then((s) => s.mtimeMs, () => null); // prettier-ignore
}
