/** Lets work see averages of the weights in place of the weights. */
import type { WeightAverages } from './averaging.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';

/** Exchanges weights and averages around a piece of work; the exchange is compiled once. */
export class WeightSwap {
  readonly #eager: boolean;
  readonly #exchanges = new WeakMap<WeightAverages, CompiledStep<[], void>>();

  /** @param eager exchange with plain tfjs operations instead of a compiled function */
  constructor(eager: boolean) {
    this.#eager = eager;
  }

  /**
   * Does the work with the averages in the model. The weights are back when it ends, also by an error.
   * @param averages null: the work sees the weights
   */
  async during<T>(averages: WeightAverages | null, work: () => Promise<T>): Promise<T> {
    if (averages === null) return work();
    const exchange = this.#exchangeOf(averages);
    await exchange();
    try {
      return await work();
    } finally {
      await exchange(); // training must not go on with the averages
    }
  }

  #exchangeOf(averages: WeightAverages): CompiledStep<[], void> {
    let exchange = this.#exchanges.get(averages);
    if (exchange === undefined) {
      exchange = compileStep(() => averages.swapWeights(), { name: 'swap_averages', eager: this.#eager });
      this.#exchanges.set(averages, exchange);
    }
    return exchange;
  }
}
