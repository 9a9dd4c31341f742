/**
 * The header of a safetensors file: eight bytes of length, then JSON that gives each tensor's dtype, shape and place in the
 * data that follow (https://github.com/huggingface/safetensors). Padded with spaces so that the data start at a multiple of 8.
 */
import { endianness } from 'node:os';
import { CheckpointError } from '../errors.js';
import { DamagedCheckpointError } from './damaged.js';
import { bytesPerElement, dtypeOfTag, elementCount, elementTypes } from './dtypes.js';
import type { StateDType } from './state.js';

/** Where one tensor lies. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: StateDType;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly begin: number;
  readonly bytes: number;
}

/** A parsed header: tensors in the order of their data, and the free-form texts of the file. */
export interface Header {
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Longest header that we read; the format's own limit. */
export const maxHeaderBytes = 100_000_000;

/**
 * Gives tensors their places: wide element types first, so that each starts at a multiple of its element size, then by name.
 */
export function layOut(
  tensors: Iterable<readonly [string, { readonly dtype: StateDType; readonly shape: readonly number[] }]>,
): TensorInfo[] {
  const list = [...tensors].map(([name, t]) => ({ name, dtype: t.dtype, shape: [...t.shape] }));
  list.sort((a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype) || (a.name < b.name ? -1 : 1));
  let begin = 0;
  return list.map((t) => {
    const bytes = elementCount(t.shape) * bytesPerElement(t.dtype);
    const info = { ...t, begin, bytes };
    begin += bytes;
    return info;
  });
}

/** Length field and JSON as bytes. */
export function encodeHeader(header: Header): Buffer {
  const entries: [string, unknown][] = header.tensors.map((t) => [
    t.name,
    { dtype: elementTypes[t.dtype].tag, shape: t.shape, data_offsets: [t.begin, t.begin + t.bytes] },
  ]);
  if (Object.keys(header.metadata).length > 0) entries.unshift(['__metadata__', header.metadata]);
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  return padded;
}

/**
 * Parses the JSON of a header and checks that the tensors fill the data without gap or overlap.
 * @param json the bytes after the length field
 * @param dataBytes size of the data after the header
 * @param file name for messages
 */
export function decodeHeader(json: Buffer, dataBytes: number, file: string): Header {
  const bad = (why: string): DamagedCheckpointError =>
    new DamagedCheckpointError(`"${file}" is not a safetensors file: ${why}. It was cut short, damaged, or made by something else.`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw bad('its header is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw bad('its header is not a JSON object');
  const tensors: TensorInfo[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '__metadata__') {
      metadata = Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, String(v)]));
      continue;
    }
    const { dtype: tag, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    const dtype = dtypeOfTag(tag);
    if (!dtype) throw bad(`tensor "${name}" has the unknown dtype ${JSON.stringify(tag)}`);
    if (!isCounts(shape)) throw bad(`tensor "${name}" has no valid shape`);
    if (!isCounts(offsets) || offsets.length !== 2) throw bad(`tensor "${name}" has no valid place`);
    const [begin, end] = offsets as [number, number];
    const bytes = elementCount(shape) * bytesPerElement(dtype);
    if (end - begin !== bytes) throw bad(`tensor "${name}" has ${end - begin} bytes where its shape needs ${bytes}`);
    tensors.push({ name, dtype, shape, begin, bytes });
  }
  tensors.sort((a, b) => a.begin - b.begin || a.bytes - b.bytes);
  let end = 0;
  for (const t of tensors) {
    if (t.begin !== end) throw bad(`the data of tensor "${t.name}" start at ${t.begin}, not at ${end}`);
    end += t.bytes;
  }
  if (end !== dataBytes) throw bad(`it has ${dataBytes} bytes of data where its header needs ${end}`);
  return { tensors, metadata };
}

function isCounts(x: unknown): x is number[] {
  return Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A checksum as text. */
export function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

/** Numbers lie in files as they lie in memory. */
export function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new CheckpointError('Checkpoints can be written and read on little-endian machines only.');
}
