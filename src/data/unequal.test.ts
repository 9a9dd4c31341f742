import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { fromCsv, fromGenerator, fromItems, fromJsonLines, fromWav, NDArray, tfRecords, writeTfRecords, type Dataset } from './index.js';
import { testFolder } from './formats/checked-in.testing.js';
import { wav } from './formats/written-files.testing.js';

const { directory, write } = testFolder();
const saysOf = async (dataset: Dataset<unknown>): Promise<string> => {
  const error: unknown = await dataset.toArray().then(
    () => 'nothing',
    (caught: unknown) => caught,
  );
  expect(error).toMatchObject({ name: 'DataError' });
  return (error as Error).message;
};
const lengths = [3, 3, 3, 2, 3];

describe('An element of a batch that is unlike the first', () => {
  it('is told with its file, where a file is an element', async () => {
    const files = lengths.map((length, i) => {
      writeFileSync(join(directory, `${i}.wav`), wav(...new Float32Array(length)));
      return join(directory, `${i}.wav`);
    });
    const sounds = fromWav(files);
    const says =
      /The element is float32\[3, 1\] in the first element of the batch but float32\[2, 1\] in element 3\. .* Element 3 is \S+3\.wav, the first is \S+0\.wav\.$/;
    expect(await saysOf(sounds.batch(5))).toMatch(says);
    expect(await saysOf(sounds.prefetch(2).batch(5))).toMatch(says);
    expect(await saysOf(sounds.map((sound) => sound).batch(5))).toMatch(says);
    expect(await saysOf(sounds.filter(() => true).batch(5))).toMatch(says);
    expect(await saysOf(sounds.shuffle({ seed: 1 }).batch(5))).toMatch(/float32\[2, 1\].* Element \d is \S+3\.wav, the first|Element 1 is \S+\.wav, the first is \S+3\.wav/);
    const padded = sounds.paddedBatch(5, { paddedShapes: [2, 1] });
    expect(await saysOf(padded)).toMatch(/in element 0 of the batch, longer than the padded shape \[2, 1\]\. Element 0 is \S+0\.wav\.$/);
    expect(await saysOf(sounds.map((sound) => (sound.shape[0] === 2 ? sound.data : sound.reshape([3, 1]))).paddedBatch(5))).toMatch(/Element 3 is \S+3\.wav, the first/);
  }); // prettier-ignore

  it('is told with file and record', async () => {
    const lines = write('ragged.jsonl', lengths.map((length) => JSON.stringify({ v: Array.from({ length }, () => 1) })).join('\n'));
    const ragged = fromJsonLines<{ v: number[] }>(lines).map(({ v }) => ({ v: NDArray.of(Float32Array.from(v)) }));
    expect(await saysOf(ragged.batch(5))).toMatch(
      /Part v of the element is float32\[3\] .* float32\[2\] in element 3\. .* Element 3 is record 4 of .*ragged\.jsonl, the first is record 1 of .*ragged\.jsonl\.$/,
    );
    expect(await saysOf(ragged.shuffle({ bufferSize: 3, seed: 1 }).batch(5))).toMatch(/record 4 of .*ragged\.jsonl/);
    const csv = write('rows.csv', 'n\n3\n3\n2\n');
    const grown = fromCsv(csv, { columns: { n: 'int32' } }).map(({ n }) => new Float32Array(n.data[0]!));
    expect(await saysOf(grown.skip(1).batch(2))).toMatch(/in element 1\. .* Element 1 is record 3 of .*rows\.csv, the first is record 2/);
    const records = join(directory, 'records');
    await writeTfRecords(records, lengths.map((length) => new Uint8Array(length)));
    expect(await saysOf(tfRecords(records).batch(5))).toMatch(/Element 3 is the record at byte 57 of \S+records, the first is the record at byte 0/);
    expect(await saysOf(tfRecords(records).repeat(2).take(7).batch(7))).toMatch(/Element 3 is the record at byte 57 of \S+records/);
  }); // prettier-ignore

  it('is told by its number alone, where nothing more is known of it', async () => {
    const arrays = lengths.map((length) => new Float32Array(length));
    const late = fromItems(arrays).map(async (array) => Promise.resolve(array));
    for (const source of [fromItems(arrays), late, fromGenerator(() => arrays)])
      expect(await saysOf(source.batch(5))).toMatch(/a Float32Array|float32\[2\] in element 3\. .* paddedBatch\.$/);
  });

  it('is told when it is read again for a position', async () => {
    const path = write('again.jsonl', '[1]\n[2]\n[3]\n[4]\n');
    let bad = false;
    const batches = fromJsonLines<number[]>(path)
      .map(([x]) => new Float32Array(bad && x === 4 ? 2 : 1))
      .batch(2)
      .shuffle({ bufferSize: 2, seed: 1 });
    const first = batches.iterator();
    await first.next();
    const position = first.stateDict();
    await first.return();
    bad = true;
    const second = batches.iterator();
    second.loadStateDict(position);
    await expect(
      (async () => {
        for (;;) if ((await second.next()).done) return;
      })(),
    ).rejects.toThrow(/Element 1 is record 4 of .*again\.jsonl/);
  });
});
