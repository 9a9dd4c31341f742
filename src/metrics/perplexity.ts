import { type CrossentropyOptions, SparseCategoricalCrossentropy } from './crossentropy.js';
import { named, type NameOr } from './metric.js';

/** e to the mean cross-entropy, of labels as class numbers: how many equally probable classes the model chooses from. 1 is best; 0 before the first batch. */
export class Perplexity extends SparseCategoricalCrossentropy {
  /** @param options name in logs (default `perplexity`) and whether predictions are logits. */
  constructor(options: NameOr<Pick<CrossentropyOptions, 'fromLogits'>> = {}) {
    const { name, options: rest } = named(options, 'perplexity');
    super({ ...rest, name });
  }

  override result(): number {
    return this.variables()['count']!.dataSync()[0] === 0 ? 0 : Math.exp(super.result());
  }
}
