// Who takes part: our processes and the Python peers, each with what it needs.
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peer, PeerError } from './process.mjs';

/** The `bench` folder. */
const BENCH = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The repository. */
export const ROOT = path.dirname(BENCH);
/** Our own name in results. */
export const OURS = 'orbit-ts';
/** Linux' tool that ties a process to processors. */
const TASKSET = '/usr/bin/taskset';

const ours = (script) => ({ name: OURS, environment: 'node', script: `workers/${script}.mjs`, args: [] });
const python = (name, environment, script, ...args) => ({ name, environment, script: `peers/${script}.py`, args });

/** Training steps of one model. */
export const STEPS = [
  ours('steps'),
  python('PyTorch eager', 'torch', 'steps_torch'),
  python('PyTorch compile', 'torch', 'steps_torch', '--compile'),
  python('TensorFlow tf.function', 'tf', 'steps_tf'),
  python('TensorFlow XLA', 'tf', 'steps_tf', '--xla'),
  python('JAX jit', 'jax', 'steps_jax'),
];

/** Updates by Adam alone. */
export const OPTIMIZERS = [
  ours('optimizer'),
  python('PyTorch fused', 'torch', 'optimizer_torch', '--fused'),
  python('PyTorch', 'torch', 'optimizer_torch'),
];

/** Convolutions one by one, with native kernels and without. */
export const CONVOLUTIONS = ours('convolutions');

/** Training loops around a tiny step. */
export const LOOPS = [
  ours('training'),
  python('Model Garden', 'tf', 'loop_garden'),
  python('Lightning', 'torch', 'loop_lightning'),
  python('Keras fit', 'tf', 'loop_keras'),
];

/** Whole runs of the MLP on MNIST; ours is the command line. */
export const RUNS = [
  python('PyTorch loop', 'torch', 'run_torch'),
  python('Lightning', 'torch', 'run_lightning'),
  python('Keras fit', 'tf', 'run_keras'),
  python('Model Garden', 'tf', 'run_garden'),
];

/** Readers of data files, by kind. `command` names what a peer is asked where that is not `read`. */
export const DATA = {
  csv: [
    ours('data-formats'),
    python('pandas', 'torch', 'data_pandas'),
    { ...python('pandas, large chunks', 'torch', 'data_pandas'), command: 'read_large' },
  ],
  tfrecord: [ours('data-formats'), python('tf.data', 'tf', 'data_tf')],
  jpeg: [ours('data-formats'), python('DataLoader', 'torch', 'data_torch')],
};

/** Who writes photographs as cameras do: our encoder keeps colour at full resolution, which takes longer to decode. */
export const IMAGE_WRITER = python('Pillow', 'torch', 'make_images');

/** The command of a contender: executable, arguments and environment. */
export function commandOf({ environment, script, args }, context) {
  const file = path.join(BENCH, script);
  if (environment === 'node') return nodeCommand(context, ['--expose-gc', file, ...args]);
  const interpreter = context.options[environment];
  if (interpreter === null) throw new PeerError(`no Python environment given (--${environment} PYTHON)`);
  if (!existsSync(interpreter)) throw new PeerError(`--${environment} names ${interpreter}, which does not exist`);
  return pinned(context, interpreter, [file, ...args]);
}

/** A command of this Node with the benchmark's environment. */
export function nodeCommand(context, args) {
  return pinned(context, process.execPath, args);
}

/** Starts a contender that stays alive. */
export function startPeer(spec, context) {
  return Peer.start({ name: spec.name, ...commandOf(spec, context) });
}

/** On machines with more cores than threads asked for, every process is tied to the same processors. */
function pinned(context, command, args) {
  const { threads } = context.options;
  const env = environment(context);
  if (os.cpus().length <= threads || !existsSync(TASKSET)) return { command, args, env };
  return { command: TASKSET, args: ['-c', `0-${threads - 1}`, command, ...args], env };
}

function environment({ options, scratch, mnist }) {
  const threads = String(options.threads);
  return {
    BENCH_THREADS: threads,
    BENCH_OUT: scratch,
    BENCH_EPOCHS: String(options.epochs),
    BENCH_MNIST: mnist,
    ORBIT_NUM_THREADS: threads,
    OMP_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    NPROC: threads, // what XLA's thread pool on processors reads
    CUDA_VISIBLE_DEVICES: '',
    TF_CPP_MIN_LOG_LEVEL: '3',
    PYTHONDONTWRITEBYTECODE: '1', // installed packages have their bytecode; ours stay out of the repository
  };
}
