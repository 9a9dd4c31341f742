/** The manifest of a checkpoint: what it holds, how large its files are and their checksums; its presence means "complete". */
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { CheckpointError } from '../errors.js';
import { DamagedCheckpointError } from './damaged.js';
import type { Json } from './encoding.js';
import { attempt } from './files.js';
import { hex } from './safetensors-header.js';

/** File name of the manifest within a checkpoint's directory. */
export const manifestName = 'manifest.json';

/** Version of the directory's layout that this code writes. Older ones can be read, newer ones are refused. */
export const formatVersion = 1;

/** What the manifest says of a file; checksums as eight hexadecimal digits. */
export interface FileEntry {
  /** Size in bytes. */
  readonly bytes: number;
  /** crc32 of everything before the data. */
  readonly header_crc32: string;
  /** crc32 of each tensor's data. */
  readonly tensor_crc32: Readonly<Record<string, string>>;
}

/** Plain JSON that a manifest keeps besides the state. */
export type CheckpointMetadata = { readonly [key: string]: Json };

/** Content of `manifest.json`. */
export interface Manifest {
  /** Tells a manifest from other JSON. */
  readonly format: 'orbit-checkpoint';
  /** Version of the format, counted from 1; older ones load. */
  readonly version: number;
  /** Value of the item `globalStep`, null if there is none. */
  readonly step: number | null;
  /** How many saves this checkpoint object had made, this one included. */
  readonly save_counter: number;
  /** What the saver added. */
  readonly metadata?: CheckpointMetadata;
  /** Sizes and checksums by file name. */
  readonly files: Readonly<Record<string, FileEntry>>;
  /** State of each item, with references to tensors. */
  readonly items: Readonly<Record<string, Json>>;
}

/** The manifest as text, with its own checksum as last field. */
export function manifestText(manifest: Manifest): string {
  const sum = hex(crc32(JSON.stringify(manifest)));
  return `${JSON.stringify({ ...manifest, crc32: sum }, null, 1)}\n`;
}

/**
 * Reads the manifest of a checkpoint and checks it and the sizes of its files.
 * @throws DamagedCheckpointError if the checkpoint is missing, incomplete or damaged; CheckpointError if it needs newer code
 */
export async function readManifest(checkpoint: string): Promise<Manifest> {
  const file = path.join(checkpoint, manifestName);
  const text = await readFile(file, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      const there = await stat(checkpoint).then(() => true, () => false); // prettier-ignore
      throw new DamagedCheckpointError(
        there
          ? `"${checkpoint}" is not a complete checkpoint: it has no ${manifestName}.`
          : `There is no checkpoint "${checkpoint}". Give the path of a checkpoint's directory, such as runs/mnist/ckpt-1000.`,
        { cause: error },
      );
    }
    return attempt('read', file, () => Promise.reject(error));
  });
  let manifest: Manifest;
  try {
    const { crc32: sum, ...body } = JSON.parse(text) as Manifest & { crc32?: unknown };
    if (sum !== hex(crc32(JSON.stringify(body)))) throw new Error('its checksum does not match its content');
    manifest = body;
  } catch (error) {
    throw new DamagedCheckpointError(`"${file}" is damaged: ${(error as Error).message}.`, { cause: error });
  }
  if (manifest.format !== 'orbit-checkpoint' || !(manifest.version <= formatVersion)) {
    throw new CheckpointError(
      `"${file}" has the format ${manifest.format} ${manifest.version}; this version reads orbit-checkpoint up to ${formatVersion}. Use the version that wrote it, or a newer one.`,
    );
  }
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const found = await stat(path.join(checkpoint, name)).then((s) => s.size, () => null); // prettier-ignore
    if (found !== bytes) {
      const what = found === null ? `its file "${name}" is missing` : `its file "${name}" has ${found} bytes, written were ${bytes}`;
      throw new DamagedCheckpointError(`The checkpoint "${checkpoint}" is incomplete: ${what}.`);
    }
  }
  return manifest;
}

/** Tells whether a checkpoint's directory has its manifest, that is, whether it was written to the end. */
export async function isComplete(checkpoint: string): Promise<boolean> {
  return open(path.join(checkpoint, manifestName), 'r').then(
    (handle) => handle.close().then(() => true),
    () => false,
  );
}
