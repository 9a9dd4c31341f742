/** How training is spread over devices and processes. */
export { type ClusterOptions, configureCluster } from './cluster.js';
export { getDistributionStrategy } from './strategy.js';
export type { DistributionStrategy, DistributionStrategyOptions } from './strategy.js';
