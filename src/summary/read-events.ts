/** Reads event files, ours and TensorFlow's; for tests and tools. */
import { readFile } from 'node:fs/promises';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { DataError } from '../errors.js';
import { takeRecords } from './record.js';

/** A value of an event. */
export interface EventValue {
  /** Name of the value. */
  readonly tag: string;
  /** The dashboard it is for: `scalars`, `histograms`, `text`, …; empty in files of old writers. */
  readonly plugin: string;
  /** Shape of the value; `[]` for a scalar or one text. */
  readonly shape: readonly number[];
  /** Its elements in row-major order. */
  readonly values: readonly number[] | readonly string[];
}

/** One entry of an event file. */
export interface SummaryEvent {
  /** Seconds since 1970. */
  readonly wallTimeSeconds: number;
  /** Global step. */
  readonly step: number;
  /** Set in the first event of a file: `brain.Event:2`. */
  readonly fileVersion?: string;
  /** What was recorded. */
  readonly values: readonly EventValue[];
}

/**
 * Reads all events of a file. An event cut short at the end, as a killed process leaves it, is left out.
 * @throws DataError when the file cannot be read, or a checksum is wrong
 */
export async function readEvents(file: string): Promise<SummaryEvent[]> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new DataError(`Cannot read the event file "${file}": ${error.message}.`, { cause: error });
  });
  return [...takeRecords(bytes, file)].map(parseEvent);
}

type Field = number | bigint | Uint8Array;

/** All fields of a message: fixed-size ones as their bytes. */
function fieldsOf(message: Uint8Array): Map<number, Field[]> {
  const reader = new BinaryReader(message);
  const fields = new Map<number, Field[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value =
      type === WireType.Varint ? BigInt(reader.int64())
      : type === WireType.LengthDelimited ? reader.bytes()
      : reader.skip(type, number); // prettier-ignore
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const text = (field: Field | undefined): string => (field instanceof Uint8Array ? Buffer.from(field).toString('utf8') : '');
const message = (field: Field | undefined): Map<number, Field[]> => (field instanceof Uint8Array ? fieldsOf(field) : new Map());

function parseEvent(record: Uint8Array): SummaryEvent {
  const event = fieldsOf(record);
  const version = event.get(3)?.[0];
  return {
    wallTimeSeconds: floats(event.get(1), 8)[0] ?? 0,
    step: Number(event.get(2)?.[0] ?? 0),
    ...(version === undefined ? {} : { fileVersion: text(version) }),
    values: (event.get(5) ?? []).flatMap((summary) => message(summary).get(1) ?? []).map(parseValue),
  };
}

function parseValue(field: Field): EventValue {
  const value = message(field);
  const tag = text(value.get(1)?.[0]);
  const plugin = text(message(message(value.get(9)?.[0]).get(1)?.[0]).get(1)?.[0]);
  const simple = floats(value.get(2), 4);
  if (simple.length > 0) return { tag, plugin, shape: [], values: simple };
  const tensor = message(value.get(8)?.[0]);
  const shape = (message(tensor.get(2)?.[0]).get(2) ?? []).map((dim) => Number(message(dim).get(1)?.[0] ?? 0));
  return { tag, plugin, shape, values: elements(tensor) };
}

function elements(tensor: Map<number, Field[]>): number[] | string[] {
  const type = Number(tensor.get(1)?.[0] ?? 0);
  if (type === 7) return (tensor.get(8) ?? []).map(text);
  const width = type === 2 ? 8 : 4;
  return floats(tensor.get(4) ?? tensor.get(type === 2 ? 6 : 5), width);
}

/** Floats of `width` bytes, packed or one by one. */
function floats(fields: Field[] | undefined, width: 4 | 8): number[] {
  const bytes = Buffer.concat((fields ?? []).filter((f) => f instanceof Uint8Array));
  return Array.from({ length: bytes.length / width }, (_, i) => (width === 8 ? bytes.readDoubleLE(i * 8) : bytes.readFloatLE(i * 4)));
}
