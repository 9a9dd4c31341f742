import type { Dataset } from '../dataset.js';
import { iris } from '../formats/iris.js';
import { sonnets } from '../formats/text/sonnets.js';
import { fromItems } from '../from.js';
import { mnist } from '../mnist.js';
import { registerDataset, type NamedDatasetOptions } from './registry.js';

/** Pairs, or records with the names that the pair's parts have. */
function pairs<A, B>(dataset: Dataset<[A, B]>, input: string, { asSupervised }: NamedDatasetOptions): Dataset<unknown> {
  return asSupervised ? dataset : dataset.map(([value, label]) => ({ [input]: value, label }));
}

registerDataset('mnist', {
  train: (options) => pairs(mnist({ split: 'train', directory: options.dataDir }), 'image', options),
  test: (options) => pairs(mnist({ split: 'test', directory: options.dataDir }), 'image', options),
});
registerDataset('iris', { train: (options) => pairs(iris(), 'features', options) });
registerDataset('sonnets', { train: () => fromItems(sonnets).map((text) => ({ text })) });
