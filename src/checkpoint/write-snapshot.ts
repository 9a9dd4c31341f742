/** Writes the state of a checkpoint's objects at one moment to a directory. */
import path from 'node:path';
import type { Json } from './encoding.js';
import { attempt, commitDirectory, writeNewFile } from './files.js';
import { formatVersion, manifestName, manifestText, type CheckpointMetadata, type FileEntry } from './manifest.js';
import { writeSafetensors } from './write-safetensors.js';
import type { StateTensor } from './state.js';

/** File for the variables of models, readable by any safetensors reader under their object paths. */
export const modelFile = 'model.safetensors';
/** File for all other tensors. */
export const stateFile = 'state.safetensors';

/** The state of all items at one moment, detached from them. */
export interface Snapshot {
  /** Global step, or null. */
  readonly step: number | null;
  readonly items: Readonly<Record<string, Json>>;
  /** Tensors by file and name. */
  readonly tensors: Readonly<Record<typeof modelFile | typeof stateFile, ReadonlyMap<string, StateTensor>>>;
}

/** A snapshot with the number of saves. */
export interface CheckpointSnapshot extends Snapshot {
  /** Saves so far, this one included. */
  readonly saveCounter: number;
  /** Plain JSON for the manifest. */
  readonly metadata?: CheckpointMetadata;
}

/**
 * Writes a snapshot to the directory `target`, all or nothing.
 * @param betweenChunks called after every few megabytes, for a thread that wants to rest
 */
export async function writeSnapshot(snapshot: CheckpointSnapshot, target: string, betweenChunks?: () => void): Promise<void> {
  await commitDirectory(target, async (directory) => {
    const files: Record<string, FileEntry> = {};
    for (const name of [modelFile, stateFile] as const) {
      const written = await writeSafetensors(path.join(directory, name), snapshot.tensors[name], { producer: 'orbit-ts' }, betweenChunks);
      files[name] = { bytes: written.bytes, header_crc32: written.headerCrc32, tensor_crc32: written.tensorCrc32 };
    }
    const { step, saveCounter, items, metadata } = snapshot;
    const head = { format: 'orbit-checkpoint', version: formatVersion, step, save_counter: saveCounter } as const;
    const text = manifestText({ ...head, ...(metadata ? { metadata } : {}), files, items });
    const file = path.join(directory, manifestName);
    await attempt('write', file, () => writeNewFile(file, (handle) => handle.writeFile(text)));
  });
}
