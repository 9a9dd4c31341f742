import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import { DataError, UsageError } from '../../errors.js';

/**
 * `tf.train.Example`: a map from key to a list of bytes, 32-bit floats or 64-bit integers. On the wire:
 * Example { Features features = 1 }, Features { map<string, Feature> feature = 1 },
 * Feature { oneof BytesList = 1, FloatList = 2, Int64List = 3 }, each list { repeated value = 1 }.
 */

/** One feature. Integers are numbers where a number holds them exactly, else bigints. */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'int64'; readonly values: readonly (number | bigint)[] };

/** The features of one example by key. */
export type Example = Map<string, Feature>;

/** The bytes of an example. Keys are sorted, so that equal examples have equal bytes. */
export function encodeExample(example: Example): Uint8Array {
  return example.size === 0 ? new Uint8Array(0) : writeFeatures(new BinaryWriter(), example).finish();
}

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

/** Reads the bytes of an example. Throws a {@link DataError} where they are none. */
export function decodeExample(bytes: Uint8Array): Example {
  const example: Example = new Map();
  try {
    const reader = new BinaryReader(bytes);
    eachField(reader, bytes.length, (features, end) =>
      features !== 1
        ? undefined
        : eachField(reader, end, (entry, entryEnd) => (entry === 1 ? readEntry(bytes, reader, entryEnd, example) : undefined)),
    );
  } catch (error) {
    throw notAnExample('tf.train.Example', error);
  }
  return example;
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

const utf8 = new TextDecoder();
const empty: Feature = { kind: 'bytes', values: [] };

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

type Bytes = Uint8Array | string;

/** Builds one `tf.train.Example`, call by call. Adding a key again replaces its feature. */
export class TfExampleBuilder {
  #example: Example;

  constructor(example: Example = new Map()) {
    this.#example = example;
  }

  /** The example itself, not a copy. */
  get example(): Example {
    return this.#example;
  }

  /** The example's bytes; none for an example without features. */
  get serializedExample(): Uint8Array {
    return encodeExample(this.#example);
  }

  /** Replaces the example. */
  set(example: Example): this {
    this.#example = example;
    return this;
  }

  /** Starts again with an example without features. */
  reset(): this {
    return this.set(new Map());
  }

  /** Adds a feature. */
  addFeature(key: string, feature: Feature): this {
    this.#example.set(key, feature);
    return this;
  }

  /** Adds several features. */
  addFeatureDict(features: Readonly<Record<string, Feature>> | ReadonlyMap<string, Feature>): this {
    for (const [key, feature] of features instanceof Map ? features : Object.entries(features)) this.addFeature(key, feature);
    return this;
  }

  /** Adds bytes, or a list of them; strings become UTF-8. */
  addBytesFeature(key: string, value: Bytes | readonly Bytes[]): this {
    const list: readonly Bytes[] = typeof value === 'string' || value instanceof Uint8Array ? [value] : value;
    return this.addFeature(key, {
      kind: 'bytes',
      values: list.map((item) => (typeof item === 'string' ? new TextEncoder().encode(item) : item)),
    });
  }

  /** Adds one or several integers. Throws a {@link UsageError} for a number that is none. */
  addIntsFeature(key: string, value: number | bigint | ArrayLike<number | bigint>): this {
    const values = typeof value === 'number' || typeof value === 'bigint' ? [value] : Array.from(value);
    const wrong = values.find((item) => typeof item === 'number' && !Number.isSafeInteger(item));
    if (wrong !== undefined)
      throw new UsageError(`Feature ${key}: ${wrong} is no integer that a number holds exactly; give a whole number or a bigint.`);
    return this.addFeature(key, { kind: 'int64', values });
  }

  /** Adds one or several numbers as 32-bit floats. */
  addFloatsFeature(key: string, value: number | ArrayLike<number>): this {
    return this.addFeature(key, { kind: 'float', values: Float32Array.from(typeof value === 'number' ? [value] : value) });
  }
}
