import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../errors.js';
import { configureCluster } from './index.js';

describe('configureCluster', () => {
  beforeEach(() => void vi.stubEnv('TF_CONFIG', undefined));
  afterEach(() => void vi.unstubAllEnvs());
  const written = (): unknown => JSON.parse(process.env['TF_CONFIG'] ?? 'null');

  it('counts one worker without hosts, and writes nothing', () => {
    expect([configureCluster(), configureCluster({ workerHosts: '' })]).toEqual([1, 1]);
    expect(written()).toBeNull();
  });

  it('writes the hosts and the index of this one', () => {
    expect(configureCluster({ workerHosts: 'a:1, b:2', taskIndex: 1 })).toBe(2);
    expect(written()).toEqual({ cluster: { worker: ['a:1', 'b:2'] }, task: { type: 'worker', index: 1 } });
  });

  it('takes a single host as index 0', () => {
    expect(configureCluster({ workerHosts: 'a:1' })).toBe(1);
    expect(written()).toMatchObject({ task: { index: 0 } });
  });

  it('goes by the environment where it tells, chief included', () => {
    process.env['TF_CONFIG'] = JSON.stringify({ cluster: { chief: ['c:1'], worker: ['a:1', 'b:1'], ps: ['p:1'] } });
    expect(configureCluster({ workerHosts: 'x:1' })).toBe(3);
  });

  it('refuses several hosts without an index among them, and a broken environment', () => {
    expect(() => configureCluster({ workerHosts: 'a:1,b:2' })).toThrow(/runtime\.task_index is -1; of 2 runtime\.worker_hosts/);
    expect(() => configureCluster({ workerHosts: 'a:1,b:2', taskIndex: 2 })).toThrow(ConfigError);
    process.env['TF_CONFIG'] = '{';
    expect(() => configureCluster()).toThrow(/TF_CONFIG is not JSON/);
  });
});
