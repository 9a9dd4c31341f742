/** Writes safetensors files, with a crc32 per tensor computed while the bytes before it are under way. */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { CheckpointError } from '../errors.js';
import { attempt, writeNewFile } from './files.js';
import { encodeHeader, hex, layOut, requireLittleEndian, type TensorInfo } from './safetensors-header.js';
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
      const flush = flusher(handle);
      let pending: Promise<void> = Promise.resolve();
      for (const pieces of chunks(header, infos, tensors)) {
        for (const { name, data } of pieces) if (name !== undefined) sums.set(name, crc32(data, sums.get(name) ?? 0));
        await pending;
        flush.written(pieces);
        pending = writeFully(handle, pieces.map((p) => p.data)); // prettier-ignore
        pending.catch(() => {}); // awaited in the next turn
        betweenChunks?.();
      }
      await pending;
      await flush.end();
    }),
  );
  return { bytes, headerCrc32: hex(crc32(header)), tensorCrc32: Object.fromEntries([...sums].map(([name, sum]) => [name, hex(sum)])) };
}

/** Written bytes after which the device is given work: waiting for it at the end alone takes twice as long for large files. */
const flushBytes = 64 << 20;

/** Brings what was written to the device, one call at a time, while the rest is still to come. */
function flusher(handle: FileHandle): { written(pieces: readonly Piece[]): void; end(): Promise<void> } {
  let bytes = 0;
  let isBusy = false;
  let flushing: Promise<void> = Promise.resolve();
  return {
    written(pieces) {
      bytes += pieces.reduce((sum, { data }) => sum + data.length, 0);
      if (isBusy || bytes < flushBytes) return;
      bytes = 0;
      isBusy = true;
      // An error is told once only: the flush of the whole file would not see it.
      flushing = Promise.all([flushing, handle.datasync()]).then(() => void (isBusy = false));
      flushing.catch(() => {}); // awaited at the end
    },
    end: () => flushing,
  };
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
