/** Weights in the files of tfjs: `model.json` or any JSON with a weights manifest, and binary files beside it. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { bytesPerElement, elementCount, elementTypes } from './dtypes.js';
import { attempt } from './files.js';
import type { StateDType, StateTensor } from './state.js';

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: unknown;
}

interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
}

/** Element types that tfjs has. */
const known: readonly string[] = ['float32', 'int32', 'bool'] satisfies StateDType[];

/**
 * Writes weights as tfjs reads them: `file` with the manifest under `weightsManifest`, and the values in `<name>.bin` beside it.
 * @throws CheckpointError if a tensor has a type that tfjs lacks, or a file cannot be written
 */
export async function writeTfjsWeights(file: string, tensors: ReadonlyMap<string, StateTensor>): Promise<void> {
  const foreign = [...tensors].filter(([, t]) => !known.includes(t.dtype)).map(([name, t]) => `${name} (${t.dtype})`);
  if (foreign.length > 0)
    throw new CheckpointError(`Cannot write "${file}": tfjs has float32, int32 and bool only, not the types of ${foreign.join(', ')}.`);
  const binary = `${path.basename(file, '.json')}.bin`;
  const weights = [...tensors].map(([name, { shape, dtype }]) => ({ name, shape: [...shape], dtype }));
  const parts = [...tensors.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  await attempt('write', file, async () => {
    await writeFile(path.join(path.dirname(file), binary), Buffer.concat(parts));
    await writeFile(file, `${JSON.stringify({ weightsManifest: [{ paths: [binary], weights }] }, null, 1)}\n`);
  });
}

/**
 * Reads the weights of a tfjs `model.json`, or of a bare weights manifest.
 * @throws CheckpointError if the files are missing, quantized or no such files
 */
export async function readTfjsWeights(file: string): Promise<Map<string, StateTensor>> {
  const tensors = new Map<string, StateTensor>();
  for (const { paths, weights } of await manifestOf(file)) {
    const parts = await Promise.all(
      paths.map((p) => attempt('read', path.join(path.dirname(file), p), () => readFile(path.join(path.dirname(file), p)))),
    );
    const bytes = Buffer.concat(parts);
    let at = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      if (!known.includes(dtype) || quantization !== undefined)
        throw new CheckpointError(
          `Cannot read "${file}": the weight "${name}" is ${quantization === undefined ? `of type ${dtype}` : 'quantized'}.`,
        );
      const type = dtype as StateDType;
      const size = elementCount(shape) * bytesPerElement(type);
      if (at + size > bytes.length)
        throw new CheckpointError(`Cannot read "${file}": ${paths.join(', ')} end before the weight "${name}" does.`);
      const data = new elementTypes[type].array(elementCount(shape));
      new Uint8Array(data.buffer).set(bytes.subarray(at, at + size));
      tensors.set(name, { dtype: type, shape, data });
      at += size;
    }
  }
  return tensors;
}

async function manifestOf(file: string): Promise<readonly WeightGroup[]> {
  const text = await attempt('read', file, () => readFile(file, 'utf8'));
  try {
    const parsed = JSON.parse(text) as { weightsManifest?: WeightGroup[] } | WeightGroup[];
    const groups = Array.isArray(parsed) ? parsed : parsed.weightsManifest;
    if (groups?.every((g) => Array.isArray(g.paths) && Array.isArray(g.weights))) return groups;
  } catch {
    // said below
  }
  throw new CheckpointError(`"${file}" is not a model or weights manifest of tfjs: it has no list "weightsManifest".`);
}
