// Resident memory while files larger than the allowed growth are read once.
import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Float32, Int32, RecordBatchFileWriter, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { fromArrow, fromCsv, fromImages, fromNpy, fromParquet, fromTfExamples, TfExampleBuilder, writeTfRecords } from 'orbit-ts/data';
import { serve } from './protocol.mjs';
import { residentBytes } from './resident.mjs';

const COLUMNS = 8;
const BATCH = 1000;
const names = Array.from({ length: COLUMNS }, (_, k) => `x${k}`);
const at = (kind) => path.join(process.env.BENCH_OUT, `large.${kind}`);
const value = (row, k) => Math.fround(((row * 37 + k * 11) % 1000) / 8);

/** Appends pieces to a file until it has `bytes`. */
function fill(file, bytes, head, piece) {
  const handle = openSync(file, 'w');
  let written = writeSync(handle, head);
  while (written < bytes) written += writeSync(handle, piece);
  closeSync(handle);
}

const writers = {
  csv(bytes) {
    const rows = Array.from({ length: 10_000 }, (_, row) => [...names.map((_, k) => value(row, k)), row % 10].join(','));
    fill(at('csv'), bytes, `${[...names, 'label'].join(',')}\n`, `${rows.join('\n')}\n`);
  },
  async tfrecord(bytes) {
    const example = (row) =>
      new TfExampleBuilder()
        .addFloatsFeature(
          'x',
          Array.from({ length: 64 }, (_, k) => value(row, k)),
        )
        .addIntsFeature('label', row % 10).serializedExample;
    const payloads = Array.from({ length: 1000 }, (_, row) => example(row));
    const count = Math.ceil(bytes / (payloads[0].length + 16));
    await writeTfRecords(at('tfrecord'), (function* () { for (let i = 0; i < count; i++) yield payloads[i % payloads.length]; })()); // prettier-ignore
  },
  async arrow(bytes) {
    const rows = 20_000;
    const columns = Object.fromEntries(
      names.map((name, k) => [
        name,
        vectorFromArray(
          Float32Array.from({ length: rows }, (_, row) => value(row, k)),
          new Float32(),
        ),
      ]),
    );
    const label = vectorFromArray(Int32Array.from({ length: rows }, (_, row) => row % 10), new Int32()); // prettier-ignore
    const table = tableFromArrays({ ...columns, label });
    const writer = new RecordBatchFileWriter();
    const handle = openSync(at('arrow'), 'w');
    const drained = (async () => { for await (const piece of writer) writeSync(handle, piece); })(); // prettier-ignore
    for (let written = 0; written < bytes; written += rows * 4 * (COLUMNS + 1)) {
      for (const batch of table.batches) writer.write(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
    writer.finish();
    await drained;
    closeSync(handle);
  },
  parquet(bytes) {
    const rows = 50_000;
    const schema = [{ name: 'root', num_children: COLUMNS + 1 }, ...[...names, 'label'].map((name) => ({ name, type: name === 'label' ? 'INT32' : 'FLOAT', repetition_type: 'REQUIRED' }))]; // prettier-ignore
    const writer = new ParquetWriter({ writer: fileWriter(at('parquet')), schema });
    let state = 1;
    const noise = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31; // values that a dictionary does not shorten
    const floats = names.map(() => Float32Array.from({ length: rows }, noise));
    const columnData = [...names.map((name, k) => ({ name, data: floats[k] })), { name: 'label', data: Int32Array.from({ length: rows }, (_, row) => row % 10) }]; // prettier-ignore
    for (let written = 0; written < bytes; written += rows * 4 * COLUMNS) writer.write({ columnData, rowGroupSize: rows });
    writer.finish();
  },
  npy(bytes) {
    const rows = Math.floor(bytes / (4 * COLUMNS));
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${COLUMNS}), }`.padEnd(117) + '\n';
    const head = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length, 0]), Buffer.from(header)]);
    fill(at('npy'), head.length + rows * 4 * COLUMNS, head, new Uint8Array(Float32Array.from({ length: 100_000 }, (_, i) => i / 8).buffer));
  },
};

/** One image, read again and again. */
const IMAGES = 600;
writers.jpeg = async () => {
  const { Transformer, ResizeFilterType, ResizeFit } = await import('@napi-rs/image');
  const [width, height] = [50, 38];
  const coarse = Uint8Array.from({ length: width * height * 4 }, (_, k) => (k % 4 === 3 ? 255 : (k * k * 31) % 251));
  const image = Transformer.fromRgbaPixels(coarse, width, height).resize(2000, 1500, ResizeFilterType.CatmullRom, ResizeFit.Fill);
  writeFileSync(at('jpeg'), await image.jpeg(90));
};

const columns = { ...Object.fromEntries(names.map((name) => [name, 'float32'])), label: { dtype: 'int32', min: 0, max: 9 } };
const readers = {
  csv: () => fromCsv(at('csv'), { columns, batchSize: BATCH }),
  tfrecord: () =>
    fromTfExamples(
      at('tfrecord'),
      { x: { dtype: 'float32', shape: [64] }, label: { dtype: 'int32', shape: [], min: 0, max: 9 } },
      { batchSize: BATCH },
    ),
  arrow: () => fromArrow(at('arrow'), { columns, batchSize: BATCH }),
  parquet: () => fromParquet(at('parquet'), { columns, batchSize: BATCH }),
  npy: () => fromNpy(at('npy')).batch(BATCH),
  jpeg: () =>
    fromImages(new Array(IMAGES).fill(at('jpeg')), { size: 64, dtype: 'uint8' })
      .batch(20)
      .prefetch(2),
};

await serve({
  async write({ kind, bytes }) {
    await writers[kind](bytes);
    return { bytes: statSync(at(kind)).size };
  },
  /** Three passes; resident memory settled after the first, when code is compiled and buffers are there, and after the last; the highest between. */
  async read({ kind }) {
    let [batches, start, most, before] = [0, 0, 0, 0];
    for (let pass = 0; pass < 3; pass++) {
      const iterator = readers[kind]().iterator();
      while (!(await iterator.next()).done) if (batches++ % 10 === 0) most = Math.max(most, process.memoryUsage.rss());
      if (pass > 0) continue;
      most = before = await residentBytes();
      start = performance.now();
    }
    const ms = performance.now() - start;
    return { batches, before, after: await residentBytes(), most, ms };
  },
});
