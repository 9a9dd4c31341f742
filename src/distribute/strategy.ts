/** Distribution strategies by name. One replica for now: names that need more are refused with the reason. */
import { ConfigError } from '../errors.js';

/** How training is spread over devices and processes. */
export interface DistributionStrategy {
  /** The name it was asked for by. */
  readonly name: string;
  /** Model copies that work in step; the global batch is divided by it. */
  readonly numReplicas: number;
  /** Whether this process writes checkpoints and summaries; true on exactly one process. */
  readonly shouldCheckpoint: boolean;
}

/** Options of {@link getDistributionStrategy}; the fields of `runtime` in an experiment's config, camelCased. */
export interface DistributionStrategyOptions {
  /** `off`, `one_device`, `mirrored`, `multi_worker_mirrored`, `parameter_server` or `tpu`, in any case. Default `mirrored`. */
  distributionStrategy?: string;
  /** GPUs to use. Default 0: the CPU. */
  numGpus?: number;
  /** How gradients are summed: `nccl` or `hierarchical_copy` with `mirrored`, `ring` or `nccl` over workers. Default: the strategy's own. */
  allReduceAlg?: string | null;
  /** Address of a TPU; only read by `tpu`. */
  tpuAddress?: string | null;
}

const names = ['off', 'one_device', 'mirrored', 'multi_worker_mirrored', 'parameter_server', 'tpu'] as const;
const reductions: Partial<Record<(typeof names)[number], readonly string[]>> = {
  mirrored: ['nccl', 'hierarchical_copy'],
  multi_worker_mirrored: ['ring', 'nccl'],
};

function refuse(message: string, field = 'distribution_strategy'): never {
  throw new ConfigError(message, { path: `runtime.${field}` });
}

/**
 * The strategy of a name.
 * @throws ConfigError for an unknown name, a wrong number of GPUs or reduction, and for what this release cannot do
 */
export function getDistributionStrategy(options: DistributionStrategyOptions = {}): DistributionStrategy {
  const { distributionStrategy = 'mirrored', numGpus = 0, allReduceAlg = null } = options;
  if (typeof distributionStrategy !== 'string') {
    const hint = distributionStrategy === false ? ' YAML reads an unquoted off as false: write "off" with quotes.' : '';
    refuse(`runtime.distribution_strategy must be a text, not ${String(distributionStrategy)}.${hint}`);
  }
  if (!Number.isInteger(numGpus) || numGpus < 0) refuse(`runtime.num_gpus must be an integer from 0, not ${numGpus}.`, 'num_gpus');
  const name = names.find((n) => n === distributionStrategy.toLowerCase());
  if (name === undefined) refuse(`runtime.distribution_strategy "${distributionStrategy}" is unknown; there are ${names.join(', ')}.`);
  if ((name === 'off' || name === 'one_device') && numGpus > 1) {
    refuse(`runtime.distribution_strategy "${name}" runs on one device, but runtime.num_gpus is ${numGpus}; use "mirrored".`, 'num_gpus');
  }
  const known = reductions[name];
  if (allReduceAlg !== null && known !== undefined && !known.includes(allReduceAlg)) {
    refuse(
      `runtime.all_reduce_alg "${allReduceAlg}" does not go with "${name}"; there are ${known.join(', ')}, or null.`,
      'all_reduce_alg',
    );
  }
  if (numGpus > 1) refuse(`runtime.num_gpus is ${numGpus}, but this release trains one replica; set it to 0.`, 'num_gpus');
  if (numGpus > 0)
    refuse('runtime.num_gpus is 1, but no GPU device is available in this release; set it to 0 to train on the CPU.', 'num_gpus');
  if (name === 'tpu' || name === 'parameter_server' || name === 'multi_worker_mirrored') {
    refuse(
      `runtime.distribution_strategy "${name}" is not available in this release, which trains one replica; use "mirrored", "one_device" or "off".`,
    );
  }
  return { name, numReplicas: 1, shouldCheckpoint: true };
}
