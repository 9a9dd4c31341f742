import { ConfigError } from '../errors.js';
import type { Family, OptimizerOptions } from './common-options.js';
import { clipAllKinds, clipOneKind } from './gradients.js';

/** The parts of an optimizer that follow from the options which all classes share. */
export function composed(options: OptimizerOptions, family: Family) {
  const { name, learningRate, learningRateMultipliers, gradientTransformers, gradientAggregator } = options;
  const rates = { name, learningRate, learningRateMultipliers };
  if (family === 'legacy') {
    const clipping = clipAllKinds(options, gradientTransformers, name);
    return { ...rates, gradientTransformers, gradientAggregator, clipping };
  }
  if (gradientTransformers || gradientAggregator) {
    throw new ConfigError(
      `${name}: the new optimizer family takes neither gradient transformers nor an aggregator. Use the legacy family (useLegacyOptimizer: true).`,
    );
  }
  return { ...rates, clipping: clipOneKind(options, name) };
}
