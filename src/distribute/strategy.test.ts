import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.js';
import { getDistributionStrategy } from './index.js';

describe('getDistributionStrategy', () => {
  it('gives one CPU replica for off, one_device and mirrored, in any case', () => {
    for (const distributionStrategy of ['off', 'one_device', 'mirrored', 'MIRRORED']) {
      expect(getDistributionStrategy({ distributionStrategy })).toMatchObject({ numReplicas: 1, shouldCheckpoint: true });
    }
    expect(getDistributionStrategy().name).toBe('mirrored');
  });

  it('names the field at fault', () => {
    const cases: [Parameters<typeof getDistributionStrategy>[0], string, RegExp][] = [
      [{ distributionStrategy: 'mirorred' }, 'runtime.distribution_strategy', /there are off, one_device, mirrored/],
      [{ numGpus: -1 }, 'runtime.num_gpus', /integer from 0/],
      [{ distributionStrategy: 'off', numGpus: 2 }, 'runtime.num_gpus', /one device/],
      [{ distributionStrategy: 'mirrored', allReduceAlg: 'ring' }, 'runtime.all_reduce_alg', /nccl, hierarchical_copy/],
      [{ distributionStrategy: 'multi_worker_mirrored', allReduceAlg: 'hierarchical_copy' }, 'runtime.all_reduce_alg', /ring, nccl/],
      [{ distributionStrategy: false as unknown as string }, 'runtime.distribution_strategy', /"off" with quotes/],
    ];
    for (const [options, path, message] of cases) {
      try {
        getDistributionStrategy(options);
        expect.unreachable(JSON.stringify(options));
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as ConfigError).path).toBe(path);
        expect((error as ConfigError).message).toMatch(message);
      }
    }
  });

  it('refuses what this release cannot do instead of ignoring it', () => {
    for (const distributionStrategy of ['tpu', 'parameter_server', 'multi_worker_mirrored']) {
      expect(() => getDistributionStrategy({ distributionStrategy })).toThrow(/not available in this release/);
    }
    expect(() => getDistributionStrategy({ numGpus: 1 })).toThrow(/set it to 0/);
  });
});
