/** What is in a directory of checkpoints, and whether it is whole. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { attempt } from './files.js';
import { manifestName, readManifest, type Manifest } from './manifest.js';
import { SafetensorsFile } from './safetensors.js';
import { checkpointNumber, readStateFile } from './state-file.js';
import { DamagedCheckpointError } from './damaged.js';

/** One checkpoint of a directory. */
export interface SurveyedCheckpoint {
  /** Path of its directory. */
  readonly path: string;
  /** Global step, null if it has none or cannot be read. */
  readonly step: number | null;
  /** Bytes of its files. */
  readonly bytes: number;
  /** When it was saved, in seconds since 1970. */
  readonly savedSeconds: number;
  /** Whether it is the newest of the state file. */
  readonly isLatest: boolean;
  /** Whether the state file lists it: it is deleted when it is no longer to be kept. */
  readonly isManaged: boolean;
  /** Results recorded for it. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** What is wrong with it; null if nothing was found. */
  readonly problem: string | null;
}

/**
 * All checkpoints of a directory, oldest first, also incomplete ones and those that no state file lists.
 * @param options.verify `size` (default) looks at manifests and sizes of files, `checksum` reads every byte
 * @throws CheckpointError if the directory cannot be read
 */
export async function surveyCheckpoints(directory: string, options: { verify?: 'size' | 'checksum' } = {}): Promise<SurveyedCheckpoint[]> {
  const names = await attempt('read the directory', directory, () => readdir(directory));
  const state = readStateFile(directory, () => {});
  const listed = state === null || state === 'damaged' ? null : state;
  const paths = new Set(listed?.paths ?? []);
  if (listed) paths.add(listed.latest);
  for (const name of names) {
    const file = path.join(directory, name);
    const isOne = /-\d+$/.test(name) && (await stat(file)).isDirectory();
    if (isOne && (await hasOurFiles(file))) paths.add(file);
  }
  const found = await Promise.all([...paths].map((p) => survey(p, listed, options.verify ?? 'size')));
  const number = (c: SurveyedCheckpoint): number => checkpointNumber(c.path) ?? Infinity;
  return found.sort((a, b) => number(a) - number(b) || a.savedSeconds - b.savedSeconds);
}

/**
 * Reads every byte of a checkpoint and compares sizes and checksums.
 * @returns its manifest
 * @throws CheckpointError that says what is wrong
 */
export async function verifyCheckpoint(checkpoint: string): Promise<Manifest> {
  const manifest = await readManifest(checkpoint);
  for (const [name, written] of Object.entries(manifest.files)) {
    const file = await SafetensorsFile.open(path.join(checkpoint, name));
    try {
      if (file.headerCrc32 !== written.header_crc32)
        throw new DamagedCheckpointError(`"${file.file}" is damaged: its header has another checksum than when it was written.`);
      for (const info of file.header.tensors) await file.read(info, written.tensor_crc32[info.name]);
    } finally {
      await file.close();
    }
  }
  return manifest;
}

async function survey(
  checkpoint: string,
  listed: Exclude<ReturnType<typeof readStateFile>, 'damaged'>,
  verify: 'size' | 'checksum',
): Promise<SurveyedCheckpoint> {
  let step: number | null = null;
  let problem: string | null = null;
  try {
    step = (await (verify === 'size' ? readManifest(checkpoint) : verifyCheckpoint(checkpoint))).step;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    problem = error.message;
  }
  const index = listed?.paths.indexOf(checkpoint) ?? -1;
  const { bytes, modifiedSeconds } = await sizeOf(checkpoint);
  return {
    path: checkpoint,
    step,
    bytes,
    savedSeconds: listed?.timestampsSeconds[index] ?? modifiedSeconds,
    isLatest: listed?.latest === checkpoint,
    isManaged: index >= 0,
    metrics: listed?.metrics[index] ?? null,
    problem,
  };
}

async function hasOurFiles(directory: string): Promise<boolean> {
  return (await readdir(directory)).some((name) => name === manifestName || name.endsWith('.safetensors'));
}

async function sizeOf(directory: string): Promise<{ bytes: number; modifiedSeconds: number }> {
  let bytes = 0;
  let modifiedSeconds = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    const entry = await stat(path.join(directory, name));
    bytes += entry.size;
    modifiedSeconds = Math.max(modifiedSeconds, entry.mtimeMs / 1000);
  }
  return { bytes, modifiedSeconds };
}
