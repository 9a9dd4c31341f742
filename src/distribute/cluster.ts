/** The workers of a run over several processes, as the environment or a list of hosts names them. */
import { ConfigError } from '../errors.js';

/** What {@link configureCluster} reads besides the environment. */
export interface ClusterOptions {
  /** `host:port` of every worker, separated by commas. Default none. */
  workerHosts?: string | null;
  /** Index of this worker among them. Default -1: not set, as one worker needs none. */
  taskIndex?: number;
}

/**
 * Counts the workers. The environment variable `TF_CONFIG` wins (chiefs and workers of its cluster); else it is written from
 * `workerHosts`; without either there is 1. Training over several workers is refused by `getDistributionStrategy`.
 * @throws ConfigError for several hosts without an index among them, or a `TF_CONFIG` that is no JSON
 */
export function configureCluster({ workerHosts = null, taskIndex = -1 }: ClusterOptions = {}): number {
  const given = process.env['TF_CONFIG'];
  if (given) return workersOf(given);
  const hosts = (workerHosts ?? '').split(',').map((host) => host.trim()).filter(Boolean); // prettier-ignore
  if (hosts.length === 0) return 1;
  if (hosts.length > 1 && !(Number.isInteger(taskIndex) && taskIndex >= 0 && taskIndex < hosts.length))
    throw new ConfigError(
      `runtime.task_index is ${taskIndex}; of ${hosts.length} runtime.worker_hosts it must be one from 0 to ${hosts.length - 1}.`,
      {
        path: 'runtime.task_index',
      },
    );
  const task = { type: 'worker', index: hosts.length === 1 ? 0 : taskIndex };
  process.env['TF_CONFIG'] = JSON.stringify({ cluster: { worker: hosts }, task });
  return hosts.length;
}

function workersOf(text: string): number {
  try {
    const { cluster = {} } = JSON.parse(text) as { cluster?: { chief?: unknown[]; worker?: unknown[] } };
    return (cluster.chief?.length ?? 0) + (cluster.worker?.length ?? 0);
  } catch (cause) {
    throw new ConfigError('The environment variable TF_CONFIG is not JSON: correct it or unset it.', { path: 'TF_CONFIG', cause });
  }
}
