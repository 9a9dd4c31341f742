// Reading data files: CSV, record files with tf.Example parsing, a folder of JPEG images.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DATA, IMAGE_WRITER, OURS, startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';
import { interleave, startAll } from '../lib/rounds.mjs';
import { mapRounds, ratioTo, rowsOf } from '../lib/rows.mjs';

/** Per kind: what is read, on how many threads each side, and what ours should reach as a multiple of a peer's time. */
const KINDS = {
  csv: {
    title: 'CSV to batches of 1,000: 200,000 rows, 6 float32 and 2 int32 columns',
    file: 'table.csv',
    threads: 'orbit-ts: 1 thread and file reads beside it; pandas: 1 thread, chunks of 1,000 or 50,000 rows, C parser, float32 and int32',
    goals: [{ against: 'pandas', limit: 1 }, { against: 'pandas, large chunks', limit: 1 }],
  },
  tfrecord: {
    title: 'Record files with tf.Example parsing to batches of 100: 20,000 records, float32[64], int64, bytes; checksums verified',
    file: 'examples.tfrecord',
    threads: 'orbit-ts: 1 thread and file reads beside it; tf.data: batch, then parse_example on as many threads as --threads says',
    goals: [{ against: 'tf.data', limit: 1 }],
  },
  jpeg: {
    title: 'JPEG folder to normalised float32[20, 224, 224, 3]: 200 images of 500×375',
    file: 'images',
    threads: 'orbit-ts: 8 images at a time on the thread pool of libuv (4 threads), the rest on 1 thread; DataLoader: as many worker processes as --threads says, Pillow',
    goals: [{ against: 'DataLoader', limit: 1 }],
  },
}; // prettier-ignore

/** Milliseconds per 1,000 records of a kind, interleaved; the first reading of each process is not counted. */
export async function measureData(context, what) {
  const { title, file, threads, goals } = KINDS[what];
  const target = path.join(context.scratch, file);
  const start = async (spec) => {
    const peer = await startPeer(spec, context);
    try {
      if (spec.name === OURS && !existsSync(target)) await peer.ask({ do: 'make', what, file: target });
      await peer.ask({ do: spec.command ?? 'read', what, file: target });
      return { peer, command: spec.command ?? 'read' };
    } catch (error) {
      peer.close();
      throw error;
    }
  };
  if (what === 'jpeg') await writeImages(target, context);
  const { started, failed } = await startAll(DATA[what], start, context.progress);
  try {
    const contenders = started.map(({ peer, command }) => ({ name: peer.name, turn: () => peer.ask({ do: command, what, file: target }) }));
    const { turns, failed: left } = await interleave(contenders, context.options.rounds, context.progress);
    const rounds = mapRounds(turns, ({ ms, rows }) => (ms / rows) * 1000);
    return {
      title,
      unit: 'ms per 1,000',
      contenders: Object.fromEntries(started.map(({ peer }) => [peer.name, peer.about])),
      rows: rowsOf(rounds),
      facts: [{ name: 'threads', value: threads }],
      goals: goals.map(({ against, limit }) => ({
        name: `time per record ÷ ${against}`,
        value: ratioTo(rounds, against),
        limit,
        unit: ' ×',
      })),
      missing: [...failed, ...left],
    };
  } finally {
    for (const { peer } of started) peer.close();
  }
}

const IMAGES = 200;

/** Lets Pillow write the images; without it our own process does. */
async function writeImages(file, context) {
  let peer = null;
  try {
    peer = await startPeer(IMAGE_WRITER, context);
    await peer.ask({ do: 'make', file, count: IMAGES });
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    context.progress(`images with colour at full resolution: ${error.message}`);
  } finally {
    peer?.close();
  }
}
