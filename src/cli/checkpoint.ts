/** `orbit checkpoint`: looking at checkpoints and converting them. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  compareCheckpoints,
  latestCheckpoint,
  readManifest,
  readSafetensors,
  readWeights,
  surveyCheckpoints,
  verifyCheckpoint,
  writeWeights,
} from '../checkpoint/index.js';
import type { Json, StateTensor, SurveyedCheckpoint } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import { count, logs } from './format.js';
import { FAILED } from './report-error.js';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Lists the checkpoints of a directory. */
export async function listCheckpoints(directory: string, { json = false }: { json?: boolean }): Promise<number> {
  const found = await surveyCheckpoints(directory);
  if (json) print(JSON.stringify(found, null, 1));
  else if (found.length === 0) print(`There are no checkpoints in ${directory}.`);
  else print(table(['checkpoint', 'step', 'size', 'saved', '', ''], found.map(row)));
  return 0;
}

function row(c: SurveyedCheckpoint): string[] {
  const place = c.problem !== null ? 'damaged' : c.isLatest ? 'newest' : c.isManaged ? '' : 'kept for good';
  const saved = new Date(c.savedSeconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
  const size = c.bytes >= 1e6 ? `${(c.bytes / 1e6).toFixed(1)} MB` : `${(c.bytes / 1e3).toFixed(1)} kB`;
  return [path.basename(c.path), c.step === null ? '' : count(c.step), size, saved, place, c.problem ?? (c.metrics ? logs(c.metrics) : '')];
}

/** Shows the state and the tensors of a checkpoint. */
export async function inspectCheckpoint(where: string, { json = false }: { json?: boolean }): Promise<number> {
  const checkpoint = await locate(where);
  const manifest = await readManifest(checkpoint);
  if (json) {
    print(JSON.stringify(manifest, null, 1));
    return 0;
  }
  print(
    `${checkpoint}  step ${manifest.step === null ? 'unknown' : count(manifest.step)}, format ${manifest.version}, save ${manifest.save_counter}`,
  );
  if (manifest.metadata) print(`metadata: ${JSON.stringify(manifest.metadata)}`);
  const lines = Object.entries(manifest.items).flatMap(([name, item]) => values(item, name));
  if (lines.length > 0) print(`\n${table(['value', ''], lines)}`);
  for (const file of Object.keys(manifest.files)) {
    const tensors = await readSafetensors(path.join(checkpoint, file));
    const elements = [...tensors.values()].reduce((sum, t) => sum + t.data.length, 0);
    print(`\n${file}: ${count(tensors.size)} tensors, ${count(elements)} elements`);
    if (tensors.size > 0) print(table(['name', 'type', 'shape', 'min', 'mean', 'max'], [...tensors].map(tensorRow)));
  }
  return 0;
}

/** Values that are no tensors, by path. */
function values(item: Json, at: string): string[][] {
  if (typeof item !== 'object' || item === null) return [[at, JSON.stringify(item)]];
  if ('$tensor' in item) return [];
  if (Array.isArray(item) || '$number' in item) return [[at, shortened(JSON.stringify(item))]];
  return Object.entries(item).flatMap(([key, child]) => values(child, `${at}/${key}`));
}

function tensorRow([name, { dtype, shape, data }]: [string, StateTensor]): string[] {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const x of data) {
    const n = Number(x);
    [min, max, sum] = [n < min ? n : min, n > max ? n : max, sum + n];
  }
  const hasNumbers = data.length > 0 && !dtype.endsWith('float16');
  return [name, dtype, `[${shape.join(',')}]`, ...(hasNumbers ? [min, sum / data.length, max].map((x) => x.toPrecision(4)) : ['', '', ''])];
}

/** Verifies one checkpoint or all of a directory; status 1 if one is damaged. */
export async function verifyCheckpoints(where: string): Promise<number> {
  if (await isCheckpoint(where)) {
    const { files } = await verifyCheckpoint(where);
    print(`${where} is whole: ${count(Object.values(files).reduce((sum, f) => sum + f.bytes, 0))} bytes.`);
    return 0;
  }
  const found = await surveyCheckpoints(where, { verify: 'checksum' });
  if (found.length === 0) throw new CheckpointError(`There are no checkpoints in "${where}".`);
  for (const c of found) print(c.problem === null ? `${c.path} is whole: ${count(c.bytes)} bytes.` : `DAMAGED: ${c.problem}`);
  return found.some((c) => c.problem !== null) ? FAILED : 0;
}

/** Compares two checkpoints; status 1 if they differ. */
export async function diffCheckpoints(a: string, b: string): Promise<number> {
  const { tensors, values: others, compared } = await compareCheckpoints(await locate(a), await locate(b));
  for (const { name, what } of tensors) print(`${name}: ${what}`);
  for (const value of others) print(value);
  if (tensors.length + others.length === 0) print(`No difference in ${count(compared)} tensors and all other values.`);
  return tensors.length + others.length === 0 ? 0 : FAILED;
}

/** Writes the weights of one kind of file as another kind. */
export async function convertWeights(source: string, target: string): Promise<number> {
  const weights = await readWeights(source);
  await writeWeights(target, weights);
  print(`Wrote ${count(weights.size)} tensors to ${target}.`);
  return 0;
}

function isCheckpoint(where: string): Promise<boolean> {
  return stat(path.join(where, 'manifest.json')).then(() => true, () => false); // prettier-ignore
}

/** A checkpoint or file as given, or the newest checkpoint of a directory. */
async function locate(where: string): Promise<string> {
  const isDirectory = await stat(where).then((s) => s.isDirectory(), () => false); // prettier-ignore
  if (!isDirectory || (await isCheckpoint(where))) return where;
  return (await latestCheckpoint(where)) ?? where;
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((r) => (r[i] ?? '').length)));
  return all.map((r) => r.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd()).join('\n'); // prettier-ignore
}
