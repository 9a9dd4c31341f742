/** Compares two checkpoints, or files of weights, tensor by tensor and bit by bit. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describeTensor } from './dtypes.js';
import { readManifest, type Manifest } from './manifest.js';
import { readSafetensors } from './safetensors.js';
import type { StateTensor } from './state.js';

/** How one tensor differs. */
export interface TensorDifference {
  /** Name, with the file before it for other files than `model.safetensors`. */
  readonly name: string;
  /** What differs, in words. */
  readonly what: string;
}

/** How two checkpoints differ; empty lists if they do not. */
export interface CheckpointDifference {
  /** Tensors that differ. */
  readonly tensors: readonly TensorDifference[];
  /** Paths of other values that differ: steps, counters, positions. */
  readonly values: readonly string[];
  /** Number of tensors compared. */
  readonly compared: number;
}

/**
 * Compares two checkpoints or `.safetensors` files.
 * @throws CheckpointError if one of them is missing or damaged
 */
export async function compareCheckpoints(a: string, b: string): Promise<CheckpointDifference> {
  const [left, right] = [await load(a), await load(b)];
  const tensors: TensorDifference[] = [];
  for (const name of new Set([...left.tensors.keys(), ...right.tensors.keys()])) {
    const [x, y] = [left.tensors.get(name), right.tensors.get(name)];
    const what = x === undefined ? `only in ${b}` : y === undefined ? `only in ${a}` : difference(x, y);
    if (what !== null) tensors.push({ name, what });
  }
  const values = left.manifest && right.manifest ? valueDifferences(left.manifest, right.manifest) : [];
  return { tensors, values, compared: [...left.tensors.keys()].filter((name) => right.tensors.has(name)).length };
}

async function load(source: string): Promise<{ tensors: Map<string, StateTensor>; manifest?: Manifest }> {
  const isDirectory = await stat(source).then((s) => s.isDirectory(), () => true); // prettier-ignore
  if (!isDirectory) return { tensors: await readSafetensors(source) };
  const manifest = await readManifest(source);
  const tensors = new Map<string, StateTensor>();
  for (const file of Object.keys(manifest.files)) {
    const prefix = file === 'model.safetensors' ? '' : `${path.basename(file, '.safetensors')}: `;
    for (const [name, tensor] of await readSafetensors(path.join(source, file))) tensors.set(`${prefix}${name}`, tensor);
  }
  return { tensors, manifest };
}

/** In words; null if every bit is the same. */
function difference(x: StateTensor, y: StateTensor): string | null {
  if (describeTensor(x) !== describeTensor(y)) return `${describeTensor(x)} and ${describeTensor(y)}`;
  if (bytesOf(x).equals(bytesOf(y))) return null;
  let count = 0;
  let largest = 0;
  for (let i = 0; i < x.data.length; i++) {
    const [u, v] = [Number(x.data[i]), Number(y.data[i])];
    if (Object.is(u, v)) continue;
    count++;
    largest = Math.max(largest, Number.isNaN(u - v) ? Infinity : Math.abs(u - v));
  }
  return `${count} of ${x.data.length} elements differ, by at most ${largest.toPrecision(3)}`;
}

function bytesOf({ data }: StateTensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function valueDifferences(a: Manifest, b: Manifest): string[] {
  const found: string[] = [];
  const walk = (x: unknown, y: unknown, at: string): void => {
    const [left, right] = [withoutTensors(x), withoutTensors(y)]; // those were compared by their values
    if (isDeepStrictEqual(left, right)) return;
    const [ours, theirs] = [left ?? {}, right ?? {}]; // of a record that only one has, every value is told
    if (isRecord(ours) && isRecord(theirs)) {
      for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
        walk(ours[key], theirs[key], at === '' ? key : `${at}/${key}`);
    } else found.push(`${at}: ${text(left)} and ${text(right)}`);
  };
  walk(a.items, b.items, '');
  return found;
}

/** Nothing in the place of a reference to a tensor. */
function withoutTensors(x: unknown): unknown {
  return isRecord(x) && '$tensor' in x ? undefined : x;
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && !Array.isArray(x);
}

function text(x: unknown): string {
  const json = x === undefined ? 'nothing' : JSON.stringify(x);
  return json.length > 80 ? `${json.slice(0, 77)}…` : json;
}
