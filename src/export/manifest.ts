/** `export.json`: what an export holds. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import type { DType } from '../function/index.js';

/** Name of the file. */
export const exportManifestName = 'export.json';

/** An input or output of a model. */
export interface TensorManifest {
  /** Its name in the ONNX model. */
  readonly name: string;
  /** Its element type. */
  readonly dtype: DType;
  /** Its sizes. */
  readonly shape: readonly number[];
}

/** One model of an export. */
export interface SignatureManifest {
  /** The ONNX file, beside the manifest. */
  readonly file: string;
  /** What the model takes. */
  readonly inputs: readonly TensorManifest[];
  /** What it gives. */
  readonly outputs: readonly TensorManifest[];
}

/** What an export holds. */
export interface ExportManifest {
  /** Version of this format: 1. */
  readonly version: 1;
  /** The models, by signature. */
  readonly signatures: Readonly<Record<string, SignatureManifest>>;
  /** File with the weights by object path, beside the manifest. */
  readonly weights: string;
  /** The checkpoint that the weights were read from; null for those of the model as it was. */
  readonly checkpoint: string | null;
}

/**
 * Reads the manifest of an export.
 * @throws CheckpointError when there is none
 */
export async function readExportManifest(directory: string): Promise<ExportManifest> {
  const file = path.join(directory, exportManifestName);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ExportManifest;
  } catch (cause) {
    throw new CheckpointError(`"${directory}" is no export: ${file} cannot be read (${(cause as Error).message}).`, { cause });
  }
}
