/** The first few batches over and over, to see whether a model can learn them by heart. */
import { DataError } from '../errors.js';
import type { DatasetLike } from '../orbit/index.js';

/** The first batches of a dataset: taken when first needed, then kept. */
export class FirstBatches {
  readonly #dataset: DatasetLike;
  readonly #count: number;
  #taken: Promise<readonly unknown[]> | null = null;

  /** @param count how many, at least 1 */
  constructor(dataset: DatasetLike, count: number) {
    this.#dataset = dataset;
    this.#count = count;
  }

  /** The batches for ever. */
  readonly repeated: DatasetLike = async () => {
    const batches = await this.#batches();
    return (function* () {
      for (;;) yield* batches;
    })();
  };

  /** The batches once. */
  readonly once: DatasetLike = async () => await this.#batches();

  #batches(): Promise<readonly unknown[]> {
    return (this.#taken ??= this.#take());
  }

  async #take(): Promise<readonly unknown[]> {
    const opened = typeof this.#dataset === 'function' ? await this.#dataset() : this.#dataset;
    const batches: unknown[] = [];
    for await (const batch of opened as AsyncIterable<unknown>) {
      if (batches.push(batch) === this.#count) break;
    }
    if (batches.length === 0) throw new DataError('trainer.overfit_batches: the training data hold no batch.');
    return batches;
  }
}
