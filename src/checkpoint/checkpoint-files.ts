/** Opens the files of a checkpoint and reads tensors from them. */
import path from 'node:path';
import { DamagedCheckpointError } from './damaged.js';
import type { TensorReference } from './encoding.js';
import type { Manifest } from './manifest.js';
import { SafetensorsFile } from './safetensors.js';
import type { StateTensor } from './state.js';

/** Opens the files of a checkpoint and checks their headers. Close them after use. */
export async function openFiles(checkpoint: string, manifest: Manifest): Promise<Map<string, SafetensorsFile>> {
  const files = new Map<string, SafetensorsFile>();
  try {
    for (const [name, written] of Object.entries(manifest.files)) {
      const file = await SafetensorsFile.open(path.join(checkpoint, name));
      files.set(name, file);
      if (file.headerCrc32 !== written.header_crc32)
        throw new DamagedCheckpointError(
          `"${file.file}" is damaged: its header has another checksum than when it was written. Use an older checkpoint.`,
        );
    }
    return files;
  } catch (error) {
    await Promise.all([...files.values()].map((f) => f.close()));
    throw error;
  }
}

/** A tensor's place as a key of a map. */
export function key(ref: TensorReference): string {
  return `${ref.file}\n${ref.name}`;
}

/** Reads tensors, each once; by {@link key}. */
export async function readTensors(
  checkpoint: string,
  manifest: Manifest,
  files: ReadonlyMap<string, SafetensorsFile>,
  needed: readonly TensorReference[],
  verify: 'checksum' | 'size',
): Promise<Map<string, StateTensor>> {
  const values = new Map<string, StateTensor>();
  for (const [name, file] of files) {
    const places = needed.filter((ref) => ref.file === name).map((ref) => ({ ref, info: file.info(ref.name) ?? lacks(checkpoint, ref) }));
    places.sort((a, b) => a.info.begin - b.info.begin);
    const sums = verify === 'checksum' ? manifest.files[name]?.tensor_crc32 : undefined;
    const tensors = await file.readAll(places.map(({ ref, info }) => ({ info, expectedCrc32: sums?.[ref.name] })));
    for (const [i, { ref }] of places.entries()) values.set(key(ref), tensors[i]!);
  }
  for (const ref of needed) if (!values.has(key(ref))) lacks(checkpoint, ref);
  return values;
}

function lacks(checkpoint: string, ref: TensorReference): never {
  throw new DamagedCheckpointError(`The checkpoint "${checkpoint}" lacks the tensor "${ref.name}" of ${ref.file}.`);
}
