/** Writes arrays as `numpy.savez` does: a ZIP archive whose members are `.npy` files, stored as they are. */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { encodeNpyHeader } from './npy.js';
import { localHeaderBytes, signatures } from './zip-records.js';

/** An array to write: its type in NumPy's notation (`<f4`), its shape, and its bytes in row-major order. */
export interface NpzArray {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A year that every reader understands: 1 January 1980, so that equal arrays give equal files. */
const date = 0x0021;
/** Version of the format that 64-bit sizes need. */
const version = 45;
const utf8Names = 0x0800;
const wide = 0xffffffff;

/** Writes an archive to an open, empty file. Sizes are written with 64 bits throughout. */
export async function writeNpz(file: FileHandle, arrays: ReadonlyMap<string, NpzArray>): Promise<void> {
  let at = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    await file.writeFile(bytes); // goes on where the last one ended
    at += bytes.length;
  };
  const entries: Buffer[] = [];
  for (const [array, { descr, shape, bytes }] of arrays) {
    const header = encodeNpyHeader(descr, shape);
    const name = Buffer.from(`${array}.npy`);
    const sum = bytes.length === 0 ? crc32(header) : crc32(bytes, crc32(header)); // that of no bytes starts anew in Node
    const begin = at;
    await write(localRecord(name, sum, header.length + bytes.length));
    await write(header);
    await write(bytes);
    entries.push(directoryEntry(name, sum, header.length + bytes.length, begin));
  }
  const directory = Buffer.concat(entries);
  const begin = at;
  await write(directory);
  await write(endRecords(entries.length, directory.length, begin));
}

function localRecord(name: Buffer, sum: number, size: number): Buffer {
  const record = Buffer.alloc(localHeaderBytes + name.length + 20);
  record.writeUInt32LE(signatures.local, 0);
  common(record, 4, name, sum, 20);
  name.copy(record, localHeaderBytes);
  sizes(record, localHeaderBytes + name.length, [size, size]);
  return record;
}

function directoryEntry(name: Buffer, sum: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(46 + name.length + 28);
  record.writeUInt32LE(signatures.entry, 0);
  record.writeUInt16LE(version, 4);
  common(record, 6, name, sum, 28);
  record.writeUInt32LE(wide, 42); // the offset is among the 64-bit sizes
  name.copy(record, 46);
  sizes(record, 46 + name.length, [size, size, offset]);
  return record;
}

/** The fields that a member's record and its entry in the directory have in common; method 0 stays: stored. */
function common(record: Buffer, at: number, name: Buffer, sum: number, extraBytes: number): void {
  record.writeUInt16LE(version, at);
  record.writeUInt16LE(utf8Names, at + 2);
  record.writeUInt16LE(date, at + 8);
  record.writeUInt32LE(sum, at + 10);
  record.writeUInt32LE(wide, at + 14);
  record.writeUInt32LE(wide, at + 18);
  record.writeUInt16LE(name.length, at + 22);
  record.writeUInt16LE(extraBytes, at + 24);
}

/** The extra field with 64-bit numbers. */
function sizes(record: Buffer, at: number, numbers: readonly number[]): void {
  record.writeUInt16LE(1, at);
  record.writeUInt16LE(8 * numbers.length, at + 2);
  numbers.forEach((n, i) => record.writeBigUInt64LE(BigInt(n), at + 4 + 8 * i));
}

function endRecords(count: number, bytes: number, begin: number): Buffer {
  const record = Buffer.alloc(56 + 20 + 22);
  record.writeUInt32LE(signatures.end64, 0);
  record.writeBigUInt64LE(44n, 4); // bytes of this record after this field
  record.writeUInt16LE(version, 12);
  record.writeUInt16LE(version, 14);
  [count, count, bytes, begin].forEach((n, i) => record.writeBigUInt64LE(BigInt(n), 24 + 8 * i));
  record.writeUInt32LE(signatures.locator64, 56);
  record.writeBigUInt64LE(BigInt(begin + bytes), 64);
  record.writeUInt32LE(1, 72);
  record.writeUInt32LE(signatures.end, 76);
  record.writeUInt16LE(Math.min(count, 0xffff), 84);
  record.writeUInt16LE(Math.min(count, 0xffff), 86);
  record.writeUInt32LE(wide, 88);
  record.writeUInt32LE(wide, 92);
  return record;
}
