// Positions and memory of the data pipeline.
import { startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';
import { ratios, summarize } from '../lib/stats.mjs';
import { withTraining } from './training.mjs';

const DATA = { name: 'orbit-ts', environment: 'node', script: 'workers/data.mjs', args: [] };
const RECORDS = 10_000_000;
const FILES = 8;
const BATCH = 128;
const POSITION_MILLISECONDS = 50;
const GROWTH_MEGABYTES = 20;
const PIECE = 200_000;
const READINGS = 5;
const STEPS = 468;
const PREPARED = 64;
const PIPELINE_RATIO = 1.05;
/** Steps at a time: the sources take turns within a round, so that a slow second of the machine meets all of them. */
const PIECE_STEPS = 52;
/** Steps before each piece that no clock sees: they use up what was read ahead while others had their turn. */
const UNTIMED_STEPS = 8;

/** Runs a measurement with a process of the data pipeline. */
async function withData(context, title, measure) {
  let peer = null;
  try {
    peer = await startPeer(DATA, context);
    return { title, ...(await measure(peer)) };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { title, missing: [{ name: DATA.name, reason: error.message }] };
  } finally {
    peer?.close();
  }
}

/** Milliseconds to save and to restore the position in the middle of an epoch. */
export async function measurePosition(context) {
  const title = `Iterator position: ${FILES} record files, ${RECORDS / 1e6} M records, interleave 4, shuffle 10,000, batch ${BATCH}, mid-epoch`;
  return withData(context, title, async (peer) => {
    context.progress('writing record files');
    const { bytes } = await peer.ask({ do: 'write', records: RECORDS, files: FILES });
    context.progress('reading to the middle of the epoch');
    const batches = Math.floor(RECORDS / 2 / BATCH);
    const { ms } = await peer.ask({ do: 'advance', batches });
    const save = await peer.ask({ do: 'save', times: 11 });
    const restore = await peer.ask({ do: 'restore', times: 11 });
    const [saving, restoring] = [summarize(save.ms), summarize(restore.ms)];
    return {
      unit: 'ms',
      rows: [
        { name: 'save: stateDict and its JSON', ...saving },
        { name: 'restore: JSON, loadStateDict, first batch', ...restoring },
      ],
      facts: [
        { name: 'files, MB', value: (bytes / 1e6).toFixed(0) },
        { name: 'saved position, kB', value: (save.bytes / 1e3).toFixed(0) },
        { name: 'records/s on the way', value: ((batches * BATCH) / (ms / 1000)).toFixed(0) },
      ],
      goals: [
        { name: 'save', value: saving.median, limit: POSITION_MILLISECONDS, unit: ' ms' },
        { name: 'restore', value: restoring.median, limit: POSITION_MILLISECONDS, unit: ' ms' },
      ],
    };
  });
}

/**
 * Goes on by so many batches, in pieces that a busy machine answers in time. The memory is the median of the last readings: the
 * heap of a worker thread, which nobody can have collected, comes and goes by tens of megabytes.
 */
async function walkOn(peer, pipeline, batches) {
  const piece = Math.min(PIECE, Math.ceil(batches / READINGS));
  let ms = 0;
  const resident = [];
  for (let done = 0; done < batches; done += piece) {
    const answer = await peer.ask({ do: 'walk', pipeline, batches: Math.min(piece, batches - done) });
    ms += answer.ms;
    resident.push(answer.residentBytes);
  }
  return { residentBytes: summarize(resident.slice(-READINGS)).median, ms };
}

/** Growth of resident memory over many batches (`--data-batches` millions), after a tenth of them. */
export async function measureDataMemory(context) {
  const batches = context.options.dataBatches * 1e6;
  const title = `Memory of the data pipeline over ${context.options.dataBatches} M batches of each kind (full length: 10 M)`;
  return withData(context, title, async (peer) => {
    await peer.ask({ do: 'write', records: 400_000, files: FILES });
    const facts = [];
    const goals = [];
    for (const [pipeline, share] of [
      ['indexed', 1],
      ['records', 0.05],
      ['workers', 0.02],
    ]) {
      const total = Math.round(batches * share);
      context.progress(`${pipeline}: ${total} batches`);
      const before = await walkOn(peer, pipeline, Math.round(total / 10));
      const after = await walkOn(peer, pipeline, total - Math.round(total / 10));
      const megabytes = ({ residentBytes }) => (residentBytes / 1e6).toFixed(1);
      facts.push({
        name: `${pipeline}, ${total} batches`,
        value: `${megabytes(before)} → ${megabytes(after)} MB in ${(after.ms / 1000).toFixed(1)} s`,
      });
      goals.push({
        name: `growth, ${pipeline}`,
        value: (after.residentBytes - before.residentBytes) / 1e6,
        limit: GROWTH_MEGABYTES,
        unit: ' MB',
      });
    }
    return { facts, goals };
  });
}

/** Milliseconds of the compiled step of `mnist_mlp` on batches in memory, from the task's pipeline, and through a worker. */
export async function measurePipelineStep(context) {
  const title = `Step time with the full data pipeline: mnist_mlp, ${STEPS} steps × ${context.options.rounds} rounds`;
  return withTraining(context, title, 'mnist_mlp', async (peer) => {
    await peer.ask({ do: 'prepare', batches: PREPARED });
    const sources = {
      'batches in memory': 'memory',
      'files, shuffle, batch': 'pipeline',
      'the same, each image through a worker': 'worker',
    };
    const names = Object.keys(sources);
    const turns = new Map(names.map((name) => [name, []]));
    for (let round = -1; round < context.options.rounds; round++) {
      context.progress(round < 0 ? 'warming up' : `round ${round + 1} of ${context.options.rounds}`);
      const ms = new Map(names.map((name) => [name, 0]));
      for (let piece = 0; piece < STEPS / PIECE_STEPS; piece++) {
        for (let i = 0; i < names.length; i++) {
          const name = names[(i + piece + Math.max(0, round)) % names.length];
          const source = sources[name];
          await peer.ask({ do: 'fed', source, steps: UNTIMED_STEPS });
          ms.set(name, ms.get(name) + (await peer.ask({ do: 'fed', source, steps: PIECE_STEPS })).ms);
        }
      }
      if (round >= 0) for (const name of names) turns.get(name).push(ms.get(name) / STEPS);
    }
    const [memory, piped, worker] = names.map((name) => turns.get(name));
    const ratio = ratios(piped, memory);
    return {
      unit: 'ms',
      rows: [...turns].map(([name, rounds]) => ({ name, ...summarize(rounds) })),
      facts: [
        { name: 'pipeline ÷ memory, rounds', value: ratio.rounds.map((r) => r.toFixed(3)).join('  ') },
        { name: 'worker ÷ memory', value: ratios(worker, memory).median.toFixed(3) },
      ],
      goals: [{ name: 'pipeline ÷ memory', value: ratio.median, limit: PIPELINE_RATIO, unit: ' ×' }],
    };
  });
}
