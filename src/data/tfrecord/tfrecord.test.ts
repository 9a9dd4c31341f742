import { mkdtempSync, readFileSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { crc32c, maskedCrc32c } from './crc32c.js';
import {
  decodeExample,
  encodeExample,
  parseExample,
  pickDatasetFn,
  TfExampleBuilder,
  tfRecords,
  writeSmallDataset,
  writeTfRecords,
  type Feature,
} from './index.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-records-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function write(bytes: Uint8Array): string {
  const path = join(directory, `file-${files++}`);
  writeFileSync(path, bytes);
  return path;
}

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const hex = (s: string): Uint8Array => Uint8Array.from(s.match(/../g)!, (byte) => parseInt(byte, 16));

describe('crc32c', () => {
  it('gives the values of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(text('123456789'))).toBe(0xe3069283);
  });

  it('masks by rotating and adding', () => {
    const crc = 0xe3069283;
    const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
    expect(maskedCrc32c(text('123456789'))).toBe((rotated + 0xa282ead8) % 2 ** 32);
  });
});

describe('record files', () => {
  it('have the bytes that the format defines', async () => {
    const path = join(directory, 'defined');
    await writeTfRecords(path, [text('abc')]);
    const bytes = readFileSync(path);
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]));
    expect(bytes.readUInt32LE(8)).toBe(maskedCrc32c(bytes.subarray(0, 8)));
    expect(bytes.subarray(12, 15).toString()).toBe('abc');
    expect(bytes.readUInt32LE(15)).toBe(maskedCrc32c(text('abc')));
    expect(bytes.length).toBe(19);
  });

  it('give back what was written, plain and gzip, across the pieces they are read in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
        fc.constantFrom('none', 'gzip') as fc.Arbitrary<'none' | 'gzip'>,
        async (records, compression) => {
          const path = join(directory, 'round-trip');
          const large = new Uint8Array(1_500_000).fill(7);
          await writeTfRecords(path, [...records, large, text('end')], { compression });
          const read = await tfRecords(path, { compression }).toArray();
          expect(read.map((r) => Buffer.from(r).toString('base64'))).toEqual(
            [...records, large, text('end')].map((r) => Buffer.from(r).toString('base64')),
          );
        },
      ),
      { numRuns: 10 },
    );
    expect(readdirSync(directory).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  it('resume at the record that comes next, shuffled too', async () => {
    const path = join(directory, 'resume');
    for (const compression of ['none', 'gzip'] as const) {
      await writeTfRecords(
        path,
        Array.from({ length: 40 }, (_, i) => text(`record ${i}`.repeat(i))),
        { compression },
      );
      for (const make of [
        () => tfRecords(path, { compression }),
        () => tfRecords([path, path], { compression }).shuffle({ seed: 1, bufferSize: 9 }).repeat(2),
      ]) {
        const whole = await make().toArray();
        const first = make().iterator();
        for (let i = 0; i < 23; i++) await first.next();
        const second = make().iterator();
        second.loadStateDict(first.stateDict());
        await first.return();
        const rest = [];
        for await (const record of second) rest.push(record);
        expect(rest).toEqual(whole.slice(23));
      }
    }
  });

  it('that are damaged end in an error with file and byte', async () => {
    const path = join(directory, 'good');
    await writeTfRecords(path, [text('first'), text('second')]);
    const good = readFileSync(path);
    const changed = (at: number): Uint8Array => good.map((byte, i) => (i === at ? byte ^ 1 : byte));
    await expect(tfRecords(write(changed(13))).toArray()).rejects.toThrow(/record at byte 0 is damaged: its checksum/);
    await expect(tfRecords(write(changed(22))).toArray()).rejects.toThrow(/record at byte 21 has a damaged length/);
    await expect(tfRecords(write(good.subarray(0, 30))).toArray()).rejects.toThrow(/truncated: it ends inside the record at byte 21/);
    await expect(tfRecords(write(good.subarray(0, -1))).toArray()).rejects.toThrow(/truncated/);
    await expect(tfRecords(write(gzipSync(good))).toArray()).rejects.toThrow(/compressed with gzip: give tfRecords compression: .gzip./);
    await expect(tfRecords(path, { compression: 'gzip' }).toArray()).rejects.toThrow(/no gzip file, or damaged/);
    await expect(tfRecords(write(gzipSync(good).subarray(0, -12)), { compression: 'gzip' }).toArray()).rejects.toThrow(
      /cannot be read|truncated/,
    );
    expect(() => tfRecords(join(directory, 'absent'))).toThrow(/absent cannot be read: there is no such file/);
    await expect(pickDatasetFn('tfrecord')(join(directory, 'absent')).toArray()).rejects.toThrow(
      /absent cannot be read: there is no such file/,
    );
  });

  it('of which all are empty end in an error, as in every other format; some may be', async () => {
    const [empty, other, full] = ['part-0', 'part-1', 'part-2'].map((name) => join(directory, name)) as [string, string, string];
    for (const path of [empty, other]) writeFileSync(path, '');
    await writeTfRecords(full, [text('one')]);
    await expect(tfRecords(empty).toArray()).rejects.toThrow(/^\S+part-0 has no records\.$/);
    await expect(tfRecords([empty, other]).batch(2).toArray()).rejects.toThrow(/^2 files from \S+part-0 has no records\.$/);
    await expect(tfRecords(write(gzipSync('')), { compression: 'gzip' }).toArray()).rejects.toThrow(/has no records\.$/);
    expect(() => tfRecords(empty, { indexed: true })).toThrow(/has no records\.$/);
    expect(() => tfRecords([])).toThrow(/The list of data files is empty/);
    expect(await tfRecords(join(directory, 'part-*')).toArray()).toEqual([text('one')]); // a pattern, and two empty parts of it
    expect(await pickDatasetFn('tfrecord')(empty).toArray()).toEqual([]); // what a reader of many files opens one by one
    const walk = tfRecords(full).iterator();
    await walk.next();
    const again = tfRecords(full).iterator();
    again.loadStateDict(walk.stateDict()); // at the end
    expect(await again.next()).toEqual({ done: true, value: undefined });
    await walk.return();
  });
});

describe('tf.train.Example', () => {
  // Written down from the messages' definition: Example{features{feature{key:"a" value{int64_list{value:[1,300]}}}}}.
  const ints = hex('0a0e' + '0a0c' + '0a0161' + '1207' + '1a05' + '0a03' + '01ac02');

  it('has the bytes that the message definition gives', () => {
    expect(Buffer.from(new TfExampleBuilder().addIntsFeature('a', [1, 300]).serializedExample).toString('hex')).toBe(
      Buffer.from(ints).toString('hex'),
    );
    expect(decodeExample(ints)).toEqual(new Map([['a', { kind: 'int64', values: [1, 300] }]]));
    // Float and bytes lists; the integers one by one instead of packed.
    expect(decodeExample(hex('0a0e' + '0a0c' + '0a0162' + '1207' + '1205' + '0d0000003f'))).toEqual(
      new Map([['b', { kind: 'float', values: Float32Array.of(0.5) }]]),
    );
    expect(decodeExample(hex('0a0f' + '0a0d' + '0a0163' + '1208' + '0a06' + '0a0178' + '0a0179')).get('c')).toEqual({
      kind: 'bytes',
      values: [text('x'), text('y')],
    });
    expect(decodeExample(hex('0a0d' + '0a0b' + '0a0161' + '1206' + '1a04' + '08010805'))).toEqual(
      new Map([['a', { kind: 'int64', values: [1, 5] }]]),
    );
  });

  it('survives encoding and decoding, whatever it holds', () => {
    const feature: fc.Arbitrary<Feature> = fc.oneof(
      fc.array(fc.uint8Array()).map((values) => ({ kind: 'bytes' as const, values })),
      fc.float32Array({ noNaN: true }).map((values) => ({ kind: 'float' as const, values })),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((values) => ({
        kind: 'int64' as const,
        values: values.map((v) => (Number.isSafeInteger(Number(v)) ? Number(v) : v)),
      })),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), feature), (features) => {
        const example = new TfExampleBuilder().addFeatureDict(features).example;
        expect(decodeExample(encodeExample(example))).toEqual(example);
      }),
    );
  });

  it('is refused when the bytes are something else', () => {
    expect(() => decodeExample(text('hello, this is text'))).toThrow(/no tf.train.Example/);
    expect(() => decodeExample(ints.subarray(0, -2))).toThrow(/no tf.train.Example/);
  });

  it('is parsed by a spec, with errors that name the feature', () => {
    const bytes = new TfExampleBuilder()
      .addFloatsFeature('x', [1, 2, 3, 4])
      .addIntsFeature('y', 7)
      .addBytesFeature('name', 'Ä')
      .addBytesFeature('raw', [Uint8Array.of(1)]).serializedExample;
    const parsed = parseExample(bytes, {
      x: { dtype: 'float32', shape: [2, 2] },
      y: { dtype: 'int32', shape: [] },
      name: { dtype: 'string', shape: [] },
      raw: { dtype: 'bytes' },
      weight: { dtype: 'float32', shape: [], default: 1 },
    });
    expect(parsed.x.shape).toEqual([2, 2]);
    expect([...parsed.x.data, ...parsed.y.data, parsed.name, [...parsed.raw[0]!], ...parsed.weight.data]).toEqual([
      1,
      2,
      3,
      4,
      7,
      'Ä',
      [1],
      1,
    ]);
    expect(() => parseExample(bytes, { z: { dtype: 'int32', shape: [] } })).toThrow(/Feature z is missing/);
    expect(() => parseExample(bytes, { x: { dtype: 'int32', shape: [4] } })).toThrow(
      /Feature x holds float values, but its spec says int32/,
    );
    expect(() => parseExample(bytes, { x: { dtype: 'float32', shape: [3] } })).toThrow(/Feature x has 4 values/);
    const large = new TfExampleBuilder().addIntsFeature('y', 2n ** 40n).serializedExample;
    expect(() => parseExample(large, { y: { dtype: 'int32', shape: [] } })).toThrow(/does not fit into int32/);
  });

  it('builders chain, replace features and can be reset', () => {
    const builder = new TfExampleBuilder().addIntsFeature('a', 1).addFloatsFeature('a', 2);
    expect(builder.example).toEqual(new Map([['a', { kind: 'float', values: Float32Array.of(2) }]]));
    expect(builder.reset().serializedExample.length).toBe(0);
    expect(() => builder.addIntsFeature('a', 0.5)).toThrow(/0.5 is no integer/);
  });
});

describe('file types', () => {
  it('are written and picked by name', async () => {
    const example = new TfExampleBuilder().addIntsFeature('a', 1);
    for (const [written, picked] of [
      ['TFRecords', 'tfrecord'],
      ['tfrecords_gzip', 'tfrecord_compressed'],
    ] as const) {
      const path = join(directory, `small-${picked}`);
      await writeSmallDataset([example, example.example, example.serializedExample], path, written);
      if (picked === 'tfrecord_compressed') expect(gunzipSync(readFileSync(path)).length).toBeGreaterThan(0);
      expect(await pickDatasetFn(picked)(path).map(decodeExample).toArray()).toEqual([example.example, example.example, example.example]);
    }
    expect(() => pickDatasetFn('riegeli')).toThrow(/expected tfrecord or tfrecord_compressed/);
    await expect(writeSmallDataset([], join(directory, 'x'), 'riegeli')).rejects.toThrow(/type "riegeli"/);
    await expect(writeSmallDataset([], join(directory, 'no', 'such', 'x'))).rejects.toThrow(/cannot be written/);
  });
});
