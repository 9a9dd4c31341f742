/** Bytes of small files of every format, with a feature `x` and a `label` per record, for tests of what is wrong with them. */
import { Field, Float64, List, RecordBatchFileWriter, Table, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { crc32 } from 'node:zlib';

import { encodeExample, encodeSequenceExample, TfExampleBuilder, type Feature } from '../index.js';
import { frame } from '../tfrecord/write.js';

/** A record: a feature, a list or a text in its place, or none; a label. */
export interface Row {
  readonly x?: number | bigint | string | readonly number[];
  readonly label: number;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const isText = (rows: readonly Row[]): boolean => rows.some(({ x }) => typeof x === 'string');
const hasX = (rows: readonly Row[]): boolean => rows.length === 0 || rows.some(({ x }) => x !== undefined);

/** Separated values; a list becomes several cells. */
export function csv(rows: readonly Row[], separator = ','): Uint8Array {
  const names = hasX(rows) ? ['x', 'label'] : ['label'];
  const lines = rows.map(({ x, label }) => [x, label].flat().filter((cell) => cell !== undefined));
  return bytes([names, ...lines].map((cells) => `${cells.join(separator)}\n`).join(''));
}

/** JSON lines. JSON has no NaN: a text stands for it. */
export function jsonLines(rows: readonly Row[]): Uint8Array {
  const value = (x: Row['x']): unknown =>
    typeof x === 'number' && !Number.isFinite(x) ? String(x) : typeof x === 'bigint' ? Number(x) : x;
  return bytes(rows.map(({ x, label }) => `${JSON.stringify({ x: value(x), label })}\n`).join(''));
}

/** Parquet; lists of numbers are written with Arrow alone. */
export function parquet(rows: readonly Row[]): Uint8Array {
  const xs = rows.map(({ x }) => x);
  const type = isText(rows) ? 'STRING' : typeof xs[1] === 'bigint' ? 'INT64' : 'DOUBLE';
  const data = type === 'STRING' ? xs.map(String) : type === 'INT64' ? xs.map((x) => BigInt(x as number)) : xs;
  const columnData = [
    ...(hasX(rows) ? [{ name: 'x', data, type } as const] : []),
    { name: 'label', data: rows.map(({ label }) => label), type: 'DOUBLE' } as const,
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** An Arrow file. */
export async function arrow(rows: readonly Row[]): Promise<Uint8Array> {
  const label = Float64Array.from(rows, (row) => row.label);
  const xs = rows.map(({ x }) => x);
  const lists = xs.some(Array.isArray);
  const table = !hasX(rows)
    ? tableFromArrays({ label })
    : isText(rows)
      ? tableFromArrays({ x: xs.map(String), label })
      : typeof xs[1] === 'bigint'
        ? tableFromArrays({ x: BigInt64Array.from(xs as bigint[], BigInt), label })
        : lists
          ? new Table({ x: vectorFromArray(xs.map((x) => [x].flat()) as number[][], new List(new Field('item', new Float64()))), label: vectorFromArray(label) })
          : tableFromArrays({ x: Float64Array.from(xs as number[]), label }); // prettier-ignore
  return new Uint8Array(await RecordBatchFileWriter.writeAll(table).toUint8Array());
}

/** A record file of examples, or of sequence examples with one step. */
export function records(rows: readonly Row[], sequences = false): Uint8Array {
  const payloads = rows.map(({ x, label }) => {
    const builder = new TfExampleBuilder();
    if (Number.isInteger(label)) builder.addIntsFeature('label', label);
    else builder.addFloatsFeature('label', label);
    if (typeof x === 'string') builder.addBytesFeature('x', x);
    else if (typeof x === 'bigint') builder.addIntsFeature('x', x);
    else if (x !== undefined) builder.addFloatsFeature('x', [x].flat());
    const { example } = builder;
    if (!sequences) return encodeExample(example);
    const step = example.get('x');
    example.delete('x');
    return encodeSequenceExample({ context: example, featureLists: new Map(step === undefined ? [] : [['x', [step] as Feature[]]]) });
  });
  return Buffer.concat(payloads.map(frame));
}

/** A `.npy` file as the format's description has it: `descr` is NumPy's name of the type, `shape` what stands between the parentheses. */
export function npy(descr: string, shape: string, values: ArrayBufferView): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + '\n';
  const magic = [Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length, 0]), Buffer.from(header)];
  return Buffer.concat([...magic, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** A ZIP archive of stored members. */
export function zip(members: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(members)) {
    const fields = Buffer.alloc(26); // version, flags, method, time, date, checksum, sizes, length of the name
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    fields.copy(entry, 6);
    entry.writeUInt32LE(at, 42);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), Buffer.from(content));
    directory.push(entry, Buffer.from(name));
    at += 30 + name.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A safetensors file: type, shape and values of each array. */
export function safetensors(
  arrays: Readonly<Record<string, readonly [type: string, shape: readonly number[], values: ArrayBufferView]>>,
): Uint8Array {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(arrays).map(([name, [dtype, shape, { byteLength }]]) => [
      name,
      { dtype, shape, data_offsets: [at, (at += byteLength)] },
    ]),
  );
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeUInt32LE(json.length, 0);
  const values = Object.values(arrays).map(([, , { buffer, byteOffset, byteLength }]) => Buffer.from(buffer, byteOffset, byteLength));
  return Buffer.concat([length, json, ...values]);
}

/** An IDX file: type code, shape, values in big-endian order. */
export function idx(code: number, shape: readonly number[], values: Uint8Array): Uint8Array {
  const sizes = Buffer.alloc(4 * shape.length);
  shape.forEach((axis, i) => sizes.writeUInt32BE(axis, 4 * i));
  return Buffer.concat([Uint8Array.of(0, 0, code, shape.length), sizes, values]);
}

/** A WAV file of 32-bit floats, one channel. */
export function wav(...values: number[]): Uint8Array {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + 4 * values.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  [3, 1].forEach((field, i) => header.writeUInt16LE(field, 20 + 2 * i));
  [8000, 32000].forEach((field, i) => header.writeUInt32LE(field, 24 + 4 * i));
  [4, 32].forEach((field, i) => header.writeUInt16LE(field, 32 + 2 * i));
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(4 * values.length, 40);
  return Buffer.concat([header, new Uint8Array(Float32Array.from(values).buffer)]);
}
