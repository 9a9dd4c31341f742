/** Reads safetensors files and compares the crc32 of each tensor with the expected one. */
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DamagedCheckpointError } from './damaged.js';
import { describeTensor, elementTypes } from './dtypes.js';
import { attempt } from './files.js';
import { decodeHeader, hex, maxHeaderBytes, requireLittleEndian, type Header, type TensorInfo } from './safetensors-header.js';
import type { StateTensor } from './state.js';

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
