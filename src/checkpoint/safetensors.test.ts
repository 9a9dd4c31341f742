import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamagedCheckpointError } from './damaged.js';
import { elementTypes } from './dtypes.js';
import { readSafetensors, SafetensorsFile } from './safetensors.js';
import { writeSafetensors } from './write-safetensors.js';
import type { StateDType, StateTensor } from './state.js';

const directory = await mkdtemp(path.join(tmpdir(), 'safetensors-'));
let files = 0;
const fresh = (): string => path.join(directory, `${files++}.safetensors`);

const tensor = fc
  .tuple(fc.constantFrom(...(Object.keys(elementTypes) as StateDType[])), fc.array(fc.nat(4), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const { array } = elementTypes[dtype];
    const bytes = shape.reduce((a, b) => a * b, 1) * array.BYTES_PER_ELEMENT;
    return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw): StateTensor => {
      const data = new array(bytes / array.BYTES_PER_ELEMENT);
      new Uint8Array(data.buffer).set(raw);
      return { dtype, shape, data };
    });
  });
const rawBytes = (t: StateTensor): Buffer => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength);

describe('safetensors files', () => {
  it('follow the published layout: length, JSON padded to eight bytes, data without gaps', async () => {
    const file = fresh();
    await writeSafetensors(
      file,
      new Map<string, StateTensor>([
        ['flags', { dtype: 'bool', shape: [3], data: new Uint8Array([1, 0, 1]) }],
        ['w', { dtype: 'float32', shape: [1, 2], data: new Float32Array([1.5, -2]) }],
        ['n', { dtype: 'int64', shape: [], data: new BigInt64Array([7n]) }],
      ]),
      { note: 'x' },
    );
    const bytes = await readFile(file);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
      __metadata__: { note: 'x' },
      n: { dtype: 'I64', shape: [], data_offsets: [0, 8] },
      w: { dtype: 'F32', shape: [1, 2], data_offsets: [8, 16] },
      flags: { dtype: 'BOOL', shape: [3], data_offsets: [16, 19] },
    });
    const data = bytes.subarray(8 + length);
    expect([data.readBigInt64LE(0), data.readFloatLE(8), data.readFloatLE(12), [...data.subarray(16)]]).toEqual([7n, 1.5, -2, [1, 0, 1]]);
  });

  it('give every tensor back bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), tensor, { maxKeys: 6 }), async (record) => {
        const file = fresh();
        const tensors = new Map(Object.entries(record));
        await writeSafetensors(file, tensors);
        const back = await readSafetensors(file);
        expect(new Set(back.keys())).toEqual(new Set(tensors.keys()));
        for (const [name, t] of tensors) {
          const b = back.get(name)!;
          expect([b.dtype, b.shape]).toEqual([t.dtype, t.shape]);
          expect(rawBytes(b).equals(rawBytes(t))).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('hold tensors larger than one chunk, many small ones, and views into larger buffers', async () => {
    const file = fresh();
    const backing = Float32Array.from({ length: 3_000_003 }, (_, i) => i);
    const tensors = new Map<string, StateTensor>([['big', { dtype: 'float32', shape: [3_000_000], data: backing.subarray(3) }]]);
    for (let i = 0; i < 700; i++) tensors.set(`s${i}`, { dtype: 'int32', shape: [1], data: new Int32Array([i]) });
    const { bytes } = await writeSafetensors(file, tensors);
    expect((await readFile(file)).length).toBe(bytes);
    const back = await readSafetensors(file);
    expect(Buffer.compare(rawBytes(back.get('big')!), rawBytes(tensors.get('big')!))).toBe(0);
    expect([0, 255, 256, 699].map((i) => back.get(`s${i}`)!.data[0])).toEqual([0, 255, 256, 699]);
  });

  it('notice a flipped bit in the data by the checksum', async () => {
    const file = fresh();
    const { tensorCrc32 } = await writeSafetensors(
      file,
      new Map([['w', { dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) } as const]]),
    );
    const bytes = await readFile(file);
    bytes[bytes.length - 3]! ^= 4;
    await writeFile(file, bytes);
    const opened = await SafetensorsFile.open(file);
    await expect(opened.read(opened.info('w')!, tensorCrc32['w'])).rejects.toThrow(/tensor "w" float32\[2\] has checksum/);
    await opened.close();
  });

  it('refuse whatever is cut short or not of this format, at every length', async () => {
    const file = fresh();
    await writeSafetensors(file, new Map([['w', { dtype: 'int8', shape: [5], data: new Int8Array(5) } as const]]));
    const whole = await readFile(file);
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length));
      await expect(readSafetensors(file)).rejects.toThrow(DamagedCheckpointError);
    }
    for (const text of [
      '[]',
      '{"w":1}',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}',
      '{"w":{"dtype":"X","shape":[],"data_offsets":[0,0]}}',
      '{',
    ]) {
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(text.length));
      await writeFile(file, Buffer.concat([head, Buffer.from(text)]));
      await expect(readSafetensors(file)).rejects.toThrow(DamagedCheckpointError);
    }
  });

  it('refuse to overwrite a file and say where writing failed', async () => {
    const file = fresh();
    await writeFile(file, 'here');
    await expect(writeSafetensors(file, new Map())).rejects.toThrow(`Cannot write "${file}"`);
  });
});
