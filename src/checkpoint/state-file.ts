/** The text file `checkpoint` of a directory: which checkpoints are managed, and which is the newest. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { attempt, fileError, replaceTextFile } from './files.js';

/** Name of the state file. */
export const stateFileName = 'checkpoint';

/** One managed checkpoint. */
export interface ManagedCheckpoint {
  /** Path of its directory. */
  readonly path: string;
  /** When it was saved, in seconds since 1970. */
  readonly timestampSeconds: number;
  /** Results that an evaluation of it gave, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** The number in a checkpoint's name, normally its step; undefined if it has none. */
export function checkpointNumber(checkpoint: string): number | undefined {
  const number = /-(\d+)$/.exec(checkpoint)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Content of a state file, paths joined to its directory. */
export interface DirectoryState {
  /** The newest checkpoint. */
  readonly latest: string;
  /** Managed checkpoints, oldest first. */
  readonly managed: readonly ManagedCheckpoint[];
  /** Time of the last checkpoint kept for good, in seconds since 1970. */
  readonly lastPreservedSeconds: number;
}

/** A parsed state file; a file without timestamps gives none. */
export interface StoredState {
  readonly latest: string;
  readonly paths: readonly string[];
  readonly timestampsSeconds: readonly number[];
  readonly metrics: readonly (Readonly<Record<string, number>> | undefined)[];
  readonly lastPreservedSeconds: number | null;
}

/**
 * Reads the state file of `directory`.
 * @param warn gets a message if the file cannot be understood; it is then ignored
 * @returns null if there is none, `damaged` if it cannot be understood
 * @throws CheckpointError if it names no newest checkpoint, or cannot be read
 */
export function readStateFile(directory: string, warn: (message: string) => void): StoredState | 'damaged' | null {
  const file = path.join(directory, stateFileName);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw fileError('read', file, error);
  }
  const fields = parse(text);
  if (!fields) {
    warn(`Ignoring "${file}": it is not a checkpoint state file.`);
    return 'damaged';
  }
  const [latest] = fields.get('model_checkpoint_path') ?? [];
  if (typeof latest !== 'string' || latest === '') {
    throw new CheckpointError(`"${file}" has no model_checkpoint_path. Delete the file to start afresh, or restore it from a copy.`);
  }
  const locate = (p: unknown): string => (path.isAbsolute(String(p)) ? String(p) : path.join(directory, String(p)));
  const [preserved] = fields.get('last_preserved_timestamp') ?? [];
  return {
    latest: locate(latest),
    paths: (fields.get('all_model_checkpoint_paths') ?? []).map(locate),
    timestampsSeconds: (fields.get('all_model_checkpoint_timestamps') ?? []).map(Number),
    metrics: (fields.get('all_model_checkpoint_metrics') ?? []).map(parseMetrics),
    lastPreservedSeconds: typeof preserved === 'number' ? preserved : null,
  };
}

/** Replaces the state file of `directory` atomically. Paths below the directory are stored relative to it. */
export async function writeStateFile(directory: string, state: DirectoryState): Promise<void> {
  const file = path.join(directory, stateFileName);
  const quoted = (p: string): string => {
    const relative = path.relative(directory, p);
    return JSON.stringify(relative.startsWith('..') ? path.resolve(p) : relative);
  };
  const lines = [
    `model_checkpoint_path: ${quoted(state.latest)}`,
    ...state.managed.map((c) => `all_model_checkpoint_paths: ${quoted(c.path)}`),
    ...state.managed.map((c) => `all_model_checkpoint_timestamps: ${c.timestampSeconds}`),
    ...(state.managed.some((c) => c.metrics) ? state.managed.map((c) => `all_model_checkpoint_metrics: ${metricsText(c.metrics)}`) : []),
    `last_preserved_timestamp: ${state.lastPreservedSeconds}`,
  ];
  await attempt('write', file, () => replaceTextFile(file, `${lines.join('\n')}\n`));
}

/** Metrics as a JSON text in quotes; NaN and infinities as texts. */
function metricsText(metrics: Readonly<Record<string, number>> = {}): string {
  return JSON.stringify(JSON.stringify(metrics, (_key, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v)));
}

function parseMetrics(value: unknown): Readonly<Record<string, number>> | undefined {
  try {
    const parsed = JSON.parse(String(value)) as Record<string, unknown>;
    const entries = Object.entries(parsed).map(([name, v]) => [name, Number(v)] as const);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  } catch {
    return undefined; // a list of metrics that cannot be read loses a preference, not a checkpoint
  }
}

function parse(text: string): Map<string, (string | number)[]> | null {
  const fields = new Map<string, (string | number)[]>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^\s*([a-z_]+)\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))\s*$/.exec(line);
    if (!match) return null;
    const value = match[3] !== undefined ? Number(match[3]) : unquote(match[2]!);
    if (value === null) return null;
    fields.set(match[1]!, [...(fields.get(match[1]!) ?? []), value]);
  }
  return fields;
}

function unquote(body: string): string | null {
  try {
    return JSON.parse(`"${body.replaceAll("\\'", "'")}"`) as string;
  } catch {
    return null;
  }
}
