// The data pipeline by itself: positions in large record files, and memory over many batches.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { dataConfig, InputReader, inWorker, range, writeTfRecords } from 'orbit-ts/data';
import { serve } from './protocol.mjs';
import { residentBytes } from './resident.mjs';

const BLOCK = 50_000;
let reader = null;
let folder = null;

/** Record files of 4 bytes a record; the same block again and again, since only positions matter. */
async function writeFiles(records, files) {
  folder = mkdtempSync(path.join(process.env.BENCH_OUT, 'records-'));
  const block = path.join(folder, 'block');
  await writeTfRecords(
    block,
    Array.from({ length: BLOCK }, (_, i) => new Uint8Array(Uint32Array.of(i).buffer)),
  );
  const bytes = readFileSync(block);
  rmSync(block);
  for (let f = 0; f < files; f++) {
    const file = openSync(path.join(folder, `part-${f}`), 'w');
    for (let done = 0; done < records / files; done += BLOCK) writeSync(file, bytes);
    closeSync(file);
  }
  return statSync(path.join(folder, 'part-0')).size * files;
}

function openReader() {
  const params = dataConfig({
    input_path: path.join(folder, 'part-*'),
    is_training: true,
    global_batch_size: 128,
    shuffle_buffer_size: 10_000,
    cycle_length: 4,
    seed: 1,
  });
  return new InputReader({ params, parserFn: (record) => ({ x: Float32Array.of(record[0]) }) }).read();
}

/** Pipelines for the memory measurement: endless, with small batches. */
const pipelines = {
  indexed: () =>
    range(0, 1_000_000)
      .shuffle({ seed: 1 })
      .repeat()
      .map((x) => ({ x: Float32Array.of(x, x), y: x }))
      .batch(4),
  records: () => openReader(),
  workers: () =>
    range(0, 1_000_000)
      .shuffle({ seed: 1 })
      .repeat()
      .map(inWorker(import.meta.resolve('./data-augment.mjs'), 'augment'), { workers: 1 })
      .batch(32),
};
let walk = null;

await serve({
  async write({ records, files }) {
    return { bytes: await writeFiles(records, files) };
  },
  /** Goes to the middle of the epoch and answers the state as text. */
  async advance({ batches }) {
    reader = openReader().iterator();
    const start = performance.now();
    for (let i = 0; i < batches; i++) if (reader.nextSync() === undefined) await reader.next();
    return { ms: performance.now() - start };
  },
  save({ times }) {
    const ms = [];
    let text = '';
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      text = JSON.stringify(reader.stateDict());
      ms.push(performance.now() - start);
    }
    return { ms, bytes: text.length };
  },
  /** Restores in a new data set, up to the first batch, and compares that with the one that the saved walk goes on with. */
  async restore({ times }) {
    const ms = [];
    const text = JSON.stringify(reader.stateDict());
    const expected = [...(await reader.next()).value.x.data];
    for (let i = 0; i < times; i++) {
      const dataset = openReader();
      const start = performance.now();
      const iterator = dataset.iterator();
      iterator.loadStateDict(JSON.parse(text));
      const { value } = await iterator.next();
      ms.push(performance.now() - start);
      if (expected.join() !== [...value.x.data].join()) throw new Error('the restored walk gives another batch');
      await iterator.return();
    }
    return { ms };
  },
  async walk({ pipeline, batches }) {
    if (walk?.pipeline !== pipeline) {
      await walk?.iterator.return();
      walk = { pipeline, iterator: pipelines[pipeline]().iterator() };
    }
    const { iterator } = walk;
    const start = performance.now();
    for (let i = 0; i < batches; i++) {
      const result = iterator.nextSync() ?? (await iterator.next());
      iterator.release(result.value);
      if (i % 50_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return { ms: performance.now() - start, residentBytes: await residentBytes() };
  },
});
