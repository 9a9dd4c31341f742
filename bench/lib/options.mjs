// Command line and environment of the benchmark.
import { parseArgs } from 'node:util';

/** What `--help` prints. */
export const HELP = `Measures orbit-ts, beside PyTorch, TensorFlow and JAX where Python environments are given.

  npm run bench -- [options]

  --torch PYTHON   interpreter with torch and lightning           (or BENCH_TORCH)
  --tf PYTHON      interpreter with tensorflow, keras, tf-keras, tf-models-official   (or BENCH_TF)
  --jax PYTHON     interpreter with jax and optax                 (or BENCH_JAX)
  --only A,B       measurements to run; a name or the start of one, such as step or step.mlp
  --rounds N       interleaved rounds (default 5)
  --steps N        timed steps of a model per round (default 20)
  --epochs N       epochs of a whole run (default 3)
  --threads N      threads of every contender (default 2)
  --memory-steps N last step of the memory measurement (default 20000)
  --kills N        processes to kill (default 500)
  --data-batches N millions of batches of the data pipeline's memory measurement (default 1; the full length is 10)
  --json FILE      write all numbers to FILE
  --list           print the names of the measurements
`;

/** A wrong command line: the message is for the user. */
export class OptionsError extends Error {}

/** Reads options from arguments and environment. @throws OptionsError with one line that says what is wrong */
export function readOptions(args, env) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        torch: { type: 'string' },
        tf: { type: 'string' },
        jax: { type: 'string' },
        only: { type: 'string' },
        rounds: { type: 'string', default: '5' },
        steps: { type: 'string', default: '20' },
        epochs: { type: 'string', default: '3' },
        threads: { type: 'string', default: '2' },
        'memory-steps': { type: 'string', default: '20000' },
        kills: { type: 'string', default: '500' },
        'data-batches': { type: 'string', default: '1' },
        json: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new OptionsError(error.message);
  }
  const count = (name, atLeast = 1) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < atLeast)
      throw new OptionsError(`--${name} must be a whole number of at least ${atLeast}, but is "${values[name]}"`);
    return value;
  };
  return {
    torch: values.torch ?? (env.BENCH_TORCH || null),
    tf: values.tf ?? (env.BENCH_TF || null),
    jax: values.jax ?? (env.BENCH_JAX || null),
    only: values.only?.split(',') ?? null,
    rounds: count('rounds'),
    steps: count('steps'),
    epochs: count('epochs'),
    threads: count('threads'),
    memorySteps: count('memory-steps', 1001),
    kills: count('kills'),
    dataBatches: count('data-batches'),
    json: values.json ?? null,
    list: values.list,
    help: values.help,
  };
}

/** The measurements that `--only` selects, in their own order. @throws OptionsError for a name that selects nothing */
export function selectNames(names, only) {
  if (only === null) return names;
  const selects = (wanted, name) => name === wanted || name.startsWith(`${wanted}.`);
  for (const wanted of only) {
    if (!names.some((name) => selects(wanted, name))) throw new OptionsError(`--only names "${wanted}"; measurements: ${names.join(', ')}`);
  }
  return names.filter((name) => only.some((wanted) => selects(wanted, name)));
}
