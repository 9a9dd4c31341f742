// Reading data files with orbit-ts: milliseconds per thousand records.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromCsv, fromImageFolder, fromTfExamples, TfExampleBuilder, writeSmallDataset } from 'orbit-ts/data';
import { serve } from './protocol.mjs';

/** Sizes of the files; the peers read the same ones. */
const CSV_ROWS = 200_000;
const EXAMPLES = 20_000;
const FEATURES = 64;
const IMAGES = 200;

/** A small generator of uniform numbers: the files are the same in every run. */
function uniform(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
}

const columns = {
  ...Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`f${i}`, 'float32'])),
  k: 'int32',
  label: { dtype: 'int32', min: 0, max: 9 },
};

const makers = {
  csv: (file) => {
    const next = uniform(1);
    const lines = [Object.keys(columns).join(',')];
    for (let i = 0; i < CSV_ROWS; i++) {
      const floats = Array.from({ length: 6 }, () => (next() * 6 - 3).toFixed(6));
      lines.push([...floats, Math.floor(next() * 1000), i % 10].join(','));
    }
    writeFileSync(file, lines.join('\n') + '\n');
  },
  tfrecord: async (file) => {
    const next = uniform(2);
    const make = (_, i) =>
      new TfExampleBuilder()
        .addFloatsFeature('x', Float32Array.from({ length: FEATURES }, next))
        .addIntsFeature('label', i % 10)
        .addBytesFeature('name', `example ${i}`);
    await writeSmallDataset(Array.from({ length: EXAMPLES }, make), file);
  },
  jpeg: async (folder) => {
    const { Transformer, ResizeFilterType, ResizeFit } = await import('@napi-rs/image');
    const next = uniform(3);
    const [width, height] = [500, 375]; // the usual size of ImageNet's photographs
    for (let i = 0; i < IMAGES; i++) {
      const small = Uint8Array.from({ length: 50 * 38 * 4 }, (_, k) => (k % 4 === 3 ? 255 : next() * 255));
      mkdirSync(path.join(folder, `class${i % 4}`), { recursive: true });
      const image = Transformer.fromRgbaPixels(small, 50, 38).resize(width, height, ResizeFilterType.CatmullRom, ResizeFit.Fill);
      writeFileSync(path.join(folder, `class${i % 4}`, `${i}.jpg`), await image.jpeg(90));
    }
  },
};

const readers = {
  csv: (file) => fromCsv(file, { columns, batchSize: 1000 }),
  tfrecord: (file) =>
    fromTfExamples(
      file,
      { x: { dtype: 'float32', shape: [FEATURES] }, label: { dtype: 'int32', shape: [] }, name: { dtype: 'string', shape: [] } },
      { batchSize: 100 },
    ),
  jpeg: (folder) =>
    fromImageFolder(folder, { size: 224, normalize: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } })
      .batch(20)
      .prefetch(8),
};

/** Records of a batch, told by its labels. */
const rowsOf = (batch) => (batch[1] ?? batch.label).rows;

await serve({
  make: async ({ what, file }) => makers[what](file),
  read: async ({ what, file }) => {
    const start = performance.now();
    let rows = 0;
    for await (const batch of readers[what](file)) rows += rowsOf(batch);
    return { ms: performance.now() - start, rows };
  },
});
