/**
 * Reads ZIP archives as NumPy writes them: members stored or deflated, 64-bit sizes where needed. Only the directory at the
 * file's end is read; a library that takes the whole file would need the memory for it.
 */
import { statSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { DataError } from '../errors.js';
import { localHeaderBytes, signatures } from './zip-records.js';

/** Reads bytes of a file from `offset` on, at most `length`; throws its own error where it cannot. */
export type ReadBytes = (path: string, length: number, offset: number) => Uint8Array;

type ZipFile = Pick<ZipMember, 'path' | 'readBytes'>;

/** A member of an archive. */
export interface ZipMember {
  readonly path: string;
  readonly readBytes: ReadBytes;
  readonly name: string;
  /** Whether its bytes lie in the file as they are. */
  readonly stored: boolean;
  /** Where its bytes begin in the file. */
  readonly offset: number;
  /** Bytes in the file, and when decompressed. */
  readonly packedBytes: number;
  readonly bytes: number;
  readonly crc32: number;
}

const { end: END, end64: END_64, locator64: LOCATOR_64, entry: ENTRY, local: LOCAL } = signatures;
const END_BYTES = 22;
const LARGEST_COMMENT = 65535;
const LOCATOR_64_BYTES = 20;
const ENTRY_BYTES = 46;

/** The members of an archive. Throws a {@link DataError} where the file is none, or truncated. */
export function zipMembers(path: string, readBytes: ReadBytes): ZipMember[] {
  const file: ZipFile = { path, readBytes };
  const { offset, bytes } = directory(file);
  const view = viewOf(read(file, offset, bytes));
  const members: ZipMember[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes;) {
    if (view.getUint32(at, true) !== ENTRY) throw damaged(path, 'its directory is damaged');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number];
    const end = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (end > bytes) throw damaged(path, 'its directory is damaged');
    const name = Buffer.from(view.buffer, view.byteOffset + at + ENTRY_BYTES, nameBytes).toString('utf8');
    const method = view.getUint16(at + 10, true);
    if (method !== 0 && method !== 8)
      throw new DataError(`${path}: member ${name} is compressed in a way that cannot be read (${method}).`);
    const wide = wideSizes(view, at + ENTRY_BYTES + nameBytes, extraBytes);
    const size = (field: number): number => {
      const value = view.getUint32(at + field, true);
      return value === 0xffffffff ? (wide.shift() ?? value) : value;
    };
    const [unpacked, packedBytes, local] = [size(24), size(20), size(42)]; // in the order of the 64-bit ones
    members.push({
      ...file,
      name,
      stored: method === 0,
      offset: dataOffset(file, local),
      packedBytes,
      bytes: unpacked,
      crc32: view.getUint32(at + 16, true),
    });
    at = end;
  }
  return members;
}

/** The bytes of a member, its checksum verified. */
export function readMember(member: ZipMember): Uint8Array {
  const packed = read(member, member.offset, member.packedBytes);
  let bytes: Uint8Array = packed;
  if (!member.stored) {
    try {
      bytes = zlib.inflateRawSync(packed, { maxOutputLength: member.bytes + 1 });
    } catch (error) {
      throw damaged(member.path, `member ${member.name} cannot be decompressed (${(error as Error).message})`);
    }
  }
  if (bytes.length !== member.bytes || zlib.crc32(bytes) !== member.crc32)
    throw damaged(member.path, `the checksum of member ${member.name} does not match`);
  return bytes;
}

/** At least the first `bytes` of a member, or all where it has fewer; no more of the file is read than that takes. */
export function memberHead(member: ZipMember, bytes: number): Uint8Array {
  if (member.stored) return read(member, member.offset, Math.min(bytes, member.bytes));
  for (let packed = bytes; ; packed *= 2) {
    const some = Math.min(packed, member.packedBytes);
    let made: Uint8Array;
    try {
      made = zlib.inflateRawSync(read(member, member.offset, some), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    } catch (error) {
      throw damaged(member.path, `member ${member.name} cannot be decompressed (${(error as Error).message})`);
    }
    if (made.length >= Math.min(bytes, member.bytes) || some === member.packedBytes) return made;
  }
}

/** Where the directory lies: what the record at the file's end says. */
function directory(file: ZipFile): { offset: number; bytes: number } {
  const { path, readBytes } = file;
  const size = readBytes(path, 1, 0).length === 0 ? 0 : statSync(path).size;
  const tailBytes = Math.min(size, END_BYTES + LARGEST_COMMENT);
  const tail = viewOf(readBytes(path, tailBytes, size - tailBytes));
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || at + END_BYTES + tail.getUint16(at + 20, true) !== tailBytes) continue;
    const found = { bytes: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
    const locator = at - LOCATOR_64_BYTES;
    if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_64) return found;
    const wide = viewOf(read(file, Number(tail.getBigUint64(locator + 8, true)), 56));
    if (wide.getUint32(0, true) !== END_64) throw damaged(path, 'its directory is damaged');
    return { bytes: Number(wide.getBigUint64(40, true)), offset: Number(wide.getBigUint64(48, true)) };
  }
  throw damaged(path, 'it has no directory at its end');
}

/** The 64-bit sizes of an entry. */
function wideSizes(view: DataView, from: number, length: number): number[] {
  for (let at = from; at + 4 <= from + length;) {
    const bytes = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1)
      return Array.from({ length: Math.min(3, Math.floor(bytes / 8)) }, (_, k) => Number(view.getBigUint64(at + 4 + 8 * k, true)));
    at += 4 + bytes;
  }
  return [];
}

function dataOffset(file: ZipFile, local: number): number {
  const view = viewOf(read(file, local, localHeaderBytes));
  if (view.getUint32(0, true) !== LOCAL) throw damaged(file.path, 'a member does not begin where its directory says');
  return local + localHeaderBytes + view.getUint16(26, true) + view.getUint16(28, true);
}

function read({ path, readBytes }: ZipFile, offset: number, length: number): Uint8Array {
  const bytes = readBytes(path, length, offset);
  if (bytes.length < length) throw damaged(path, `byte ${offset + bytes.length} lies after its end`);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(path: string, reason: string): DataError {
  return new DataError(`${path} is not a .npz file, or it is truncated or damaged: ${reason}. Copy it again.`);
}
