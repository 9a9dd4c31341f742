/** Writes and reads safetensors files, with a crc32 per tensor computed while the neighbouring bytes are under way. */
import { open, type FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { CheckpointError } from '../errors.js';
import { DamagedCheckpointError } from './damaged.js';
import { describeTensor, elementTypes } from './dtypes.js';
import { attempt, writeNewFile } from './files.js';
import { decodeHeader, encodeHeader, layOut, maxHeaderBytes, type Header, type TensorInfo } from './safetensors-header.js';
import type { StateTensor } from './state.js';

/** What was written: the file's size, and checksums as eight hexadecimal digits. */
export interface WrittenFile {
  /** Size in bytes. */
  readonly bytes: number;
  /** crc32 of everything before the data. */
  readonly headerCrc32: string;
  /** crc32 of each tensor's data. */
  readonly tensorCrc32: Readonly<Record<string, string>>;
}

/** Bytes per file call: large enough for full speed, small enough that the event loop turns every few milliseconds. */
const chunkBytes = 4 << 20;
/** Buffers per file call, below every platform's limit. */
const chunkPieces = 256;

/** A checksum as text. */
export function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

/**
 * Writes a new file and waits until it is on the device.
 * @param file path; must not exist
 * @param tensors by name
 * @param metadata free-form texts for the header
 * @param betweenChunks called after every few megabytes
 * @throws CheckpointError naming the file when it cannot be written
 */
export async function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StateTensor>,
  metadata: Readonly<Record<string, string>> = {},
  betweenChunks?: () => void,
): Promise<WrittenFile> {
  requireLittleEndian();
  if (tensors.has('__metadata__'))
    throw new CheckpointError(`Cannot write "${file}": a tensor cannot have the reserved name "__metadata__".`);
  const infos = layOut(tensors);
  const header = encodeHeader({ tensors: infos, metadata });
  const sums = new Map<string, number>();
  const bytes = header.length + infos.reduce((sum, t) => sum + t.bytes, 0);
  await attempt('write', file, () =>
    writeNewFile(file, async (handle) => {
      let pending: Promise<void> = Promise.resolve();
      for (const pieces of chunks(header, infos, tensors)) {
        for (const { name, data } of pieces) if (name !== undefined) sums.set(name, crc32(data, sums.get(name) ?? 0));
        await pending;
        pending = writeFully(handle, pieces.map((p) => p.data)); // prettier-ignore
        pending.catch(() => {}); // awaited in the next turn
        betweenChunks?.();
      }
      await pending;
    }),
  );
  return { bytes, headerCrc32: hex(crc32(header)), tensorCrc32: Object.fromEntries([...sums].map(([name, sum]) => [name, hex(sum)])) };
}

interface Piece {
  readonly name?: string;
  readonly data: Uint8Array;
}

function* chunks(header: Buffer, infos: readonly TensorInfo[], tensors: ReadonlyMap<string, StateTensor>): Generator<Piece[]> {
  let chunk: Piece[] = [{ data: header }];
  let size = header.length;
  for (const { name, bytes } of infos) {
    const { data } = tensors.get(name)!;
    for (let at = 0; at < bytes || at === 0; at += chunkBytes) {
      const part = new Uint8Array(data.buffer, data.byteOffset + at, Math.min(chunkBytes, bytes - at));
      chunk.push({ name, data: part });
      size += part.length;
      if (size >= chunkBytes || chunk.length >= chunkPieces) {
        yield chunk;
        chunk = [];
        size = 0;
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}

async function writeFully(handle: FileHandle, buffers: Uint8Array[]): Promise<void> {
  let rest = buffers.filter((b) => b.length > 0);
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest);
    while (rest.length > 0 && bytesWritten >= rest[0]!.length) bytesWritten -= rest.shift()!.length;
    if (bytesWritten > 0) rest = [rest[0]!.subarray(bytesWritten), ...rest.slice(1)];
  }
}

/** A tensor to read, and the checksum that it must have; without one it is read unchecked. */
export interface ReadRequest {
  readonly info: TensorInfo;
  readonly expectedCrc32?: string | undefined;
}

/** Bytes per read: small enough to be in a processor's cache still when the checksum is taken. */
const readBytes = 1 << 20;
/** Reads at a time. */
const readsUnderWay = 3;

interface ReadPart {
  readonly request: ReadRequest;
  readonly target: Uint8Array;
  /** Place in the data of the file. */
  readonly begin: number;
  /** Whether it ends its tensor. */
  readonly isLast: boolean;
}

function* readParts(requests: readonly ReadRequest[], tensors: readonly StateTensor[]): Generator<ReadPart, undefined> {
  for (const [i, request] of requests.entries()) {
    const { buffer, byteOffset, byteLength } = tensors[i]!.data;
    for (let at = 0; at < byteLength || at === 0; at += readBytes) {
      const target = new Uint8Array(buffer, byteOffset + at, Math.min(readBytes, byteLength - at));
      yield { request, target, begin: request.info.begin + at, isLast: at + readBytes >= byteLength };
    }
  }
}

/** An open safetensors file. Close it after use. */
export class SafetensorsFile {
  private readonly byName: ReadonlyMap<string, TensorInfo>;

  private constructor(
    /** Path as given. */
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly dataStart: number,
    /** Tensors and texts. */
    readonly header: Header,
    /** crc32 of everything before the data, as eight hexadecimal digits. */
    readonly headerCrc32: string,
  ) {
    this.byName = new Map(header.tensors.map((t) => [t.name, t]));
  }

  /** Opens a file and checks its header and size. */
  static async open(file: string): Promise<SafetensorsFile> {
    requireLittleEndian();
    const handle = await attempt('open', file, () => open(file, 'r'));
    try {
      const { size } = await handle.stat();
      const prefix = Buffer.alloc(8);
      const length = size >= 8 ? (await readFully(handle, prefix, 0, file), Number(prefix.readBigUInt64LE())) : Infinity;
      if (length > maxHeaderBytes || length > size - 8) {
        throw new DamagedCheckpointError(
          `"${file}" is not a safetensors file: its header does not fit into its ${size} bytes. It was cut short or damaged.`,
        );
      }
      const json = Buffer.alloc(length);
      await readFully(handle, json, 8, file);
      const header = decodeHeader(json, size - 8 - length, file);
      return new SafetensorsFile(file, handle, 8 + length, header, hex(crc32(json, crc32(prefix))));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Place, dtype and shape of a tensor; undefined if the file has none of that name. */
  info(name: string): TensorInfo | undefined {
    return this.byName.get(name);
  }

  /** Reads one tensor; see {@link readAll}. */
  async read(info: TensorInfo, expectedCrc32?: string): Promise<StateTensor> {
    return (await this.readAll([{ info, expectedCrc32 }]))[0]!;
  }

  /**
   * Reads tensors into new arrays, in the given order. Several reads are under way at any time, since the pages of new arrays
   * come into being in them, and the checksum is taken of what has arrived meanwhile.
   * @throws CheckpointError when the data cannot be read or differ from a checksum
   */
  async readAll(requests: readonly ReadRequest[]): Promise<StateTensor[]> {
    const tensors = requests.map(({ info: { dtype, shape, bytes } }) => {
      const { array } = elementTypes[dtype];
      return { dtype, shape, data: new array(bytes / array.BYTES_PER_ELEMENT) };
    });
    const parts = readParts(requests, tensors);
    const underWay: Promise<ReadPart>[] = [];
    const start = (): void => {
      const next = parts.next();
      if (next.done) return;
      const part = next.value;
      const reading = readFully(this.handle, part.target, this.dataStart + part.begin, this.file).then(() => part);
      reading.catch(() => {}); // awaited in its turn, unless one before it fails
      underWay.push(reading);
    };
    for (let i = 0; i < readsUnderWay; i++) start();
    let sum = 0;
    for (let reading = underWay.shift(); reading; reading = underWay.shift()) {
      const { target, request, isLast } = await reading;
      start();
      if (request.expectedCrc32 === undefined) continue;
      sum = crc32(target, sum);
      if (!isLast) continue;
      this.requireChecksum(request, hex(sum));
      sum = 0;
    }
    return tensors;
  }

  private requireChecksum({ info, expectedCrc32 }: ReadRequest, found: string): void {
    if (found === expectedCrc32) return;
    throw new DamagedCheckpointError(
      `"${this.file}" is damaged: tensor "${info.name}" ${describeTensor(info)} has checksum ${found}, written was ${expectedCrc32}. Use an older checkpoint.`,
    );
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Reads all tensors of a file, of any origin. */
export async function readSafetensors(file: string): Promise<Map<string, StateTensor>> {
  const opened = await SafetensorsFile.open(file);
  try {
    const tensors = new Map<string, StateTensor>();
    const infos = opened.header.tensors;
    for (const [i, tensor] of (await opened.readAll(infos.map((info) => ({ info })))).entries()) tensors.set(infos[i]!.name, tensor);
    return tensors;
  } finally {
    await opened.close();
  }
}

async function readFully(handle: FileHandle, target: Uint8Array, position: number, file: string): Promise<void> {
  for (let at = 0; at < target.length;) {
    const { bytesRead } = await attempt('read', file, () => handle.read(target, at, target.length - at, position + at));
    if (bytesRead === 0) throw new DamagedCheckpointError(`"${file}" is cut short: byte ${position + at} is missing.`);
    at += bytesRead;
  }
}

function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new CheckpointError('Checkpoints can be written and read on little-endian machines only.');
}
