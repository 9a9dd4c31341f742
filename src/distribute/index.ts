/** How training is spread over devices and processes. */
export { getDistributionStrategy } from './strategy.js';
export type { DistributionStrategy, DistributionStrategyOptions } from './strategy.js';
