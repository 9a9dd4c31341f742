/** The parts of `tf.train.Example` and its relatives as bytes. Not in a file whose types users see: they would need protobuf's. */
import { type BinaryReader, type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DataError } from '../../errors.js';
import type { Example, Feature } from './feature.js';

const utf8 = new TextDecoder();
const empty: Feature = { kind: 'bytes', values: [] };

/** Writes a message Features as field 1. */
export function writeFeatures(writer: BinaryWriter, example: Example): BinaryWriter {
  writer.tag(1, WireType.LengthDelimited).fork();
  for (const key of [...example.keys()].sort()) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    encodeFeature(writer, 2, example.get(key)!);
    writer.join();
  }
  return writer.join();
}

/** Writes a message Feature as a field of the message around it. */
export function encodeFeature(writer: BinaryWriter, number: number, feature: Feature): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  const field = { bytes: 1, float: 2, int64: 3 }[feature.kind];
  writer.tag(field, WireType.LengthDelimited).fork();
  if (feature.kind === 'bytes') {
    for (const value of feature.values) writer.tag(1, WireType.LengthDelimited).bytes(value);
  } else if (feature.values.length > 0) {
    writer.tag(1, WireType.LengthDelimited).fork(); // packed
    if (feature.kind === 'float') for (const value of feature.values) writer.float(value);
    else for (const value of feature.values) writer.int64(value);
    writer.join();
  }
  writer.join().join();
}

/** The error of a record that is not the message that was expected. */
export function notAnExample(message: string, error: unknown): DataError {
  return new DataError(`The record is no ${message}: ${(error as Error).message}.`, { cause: error });
}

/** Calls `read` for every length-delimited field up to `end`; fields that it leaves are skipped, as is every other field. */
export function eachField(reader: BinaryReader, end: number, read: (field: number, end: number) => void): void {
  while (reader.pos < end) {
    const [field, wire] = reader.tag();
    if (wire !== WireType.LengthDelimited) {
      reader.skip(wire, field);
      continue;
    }
    const length = reader.uint32();
    const fieldEnd = reader.pos + length;
    if (fieldEnd > end) throw new RangeError('it ends too early');
    read(field, fieldEnd);
    reader.pos = fieldEnd;
  }
}

/** Reads an entry of a map of features, up to `end`, into `example`. */
export function readEntry(bytes: Uint8Array, reader: BinaryReader, end: number, example: Example): void {
  let key = '';
  let feature: Feature = empty;
  eachField(reader, end, (field, fieldEnd) => {
    if (field === 1) key = utf8.decode(bytes.subarray(reader.pos, fieldEnd));
    if (field === 2) feature = decodeFeature(bytes, reader, fieldEnd);
  });
  example.set(key, feature);
}

/** Reads a message Feature up to `end`. */
export function decodeFeature(bytes: Uint8Array, reader: BinaryReader, end: number): Feature {
  let feature: Feature = empty;
  eachField(reader, end, (kind, listEnd) => void (feature = readList(bytes, reader, kind, listEnd) ?? feature));
  return feature;
}

function readList(bytes: Uint8Array, reader: BinaryReader, kind: number, end: number): Feature | undefined {
  if (kind === 1) {
    const values: Uint8Array[] = [];
    eachField(reader, end, (field, valueEnd) =>
      field === 1 ? void values.push(new Uint8Array(bytes.subarray(reader.pos, valueEnd))) : undefined,
    );
    return { kind: 'bytes', values };
  }
  if (kind !== 2 && kind !== 3) return undefined;
  const values: (number | bigint)[] = [];
  const one = (): number | bigint => {
    if (kind === 2) return reader.float();
    const value = reader.int64();
    return Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(value);
  };
  // Packed or one by one: writers may choose, readers take both.
  while (reader.pos < end) {
    const [field, wire] = reader.tag();
    if (field !== 1) reader.skip(wire, field);
    else if (wire !== WireType.LengthDelimited) values.push(one());
    else for (const packedEnd = reader.uint32() + reader.pos; reader.pos < packedEnd;) values.push(one());
  }
  return kind === 2 ? { kind: 'float', values: Float32Array.from(values as number[]) } : { kind: 'int64', values };
}
