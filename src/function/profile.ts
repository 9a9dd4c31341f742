/** Where the time of a compiled step goes, by ONNX Runtime's own profiler. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TypedArray } from './dtype.js';
import type { OnnxNode } from './graph/onnx.js';
import type { Executable } from './runtime/executable.js';
import type { SessionOptions } from './runtime/session.js';

/** Time that one kind of operation takes in a step. */
export interface ProfileRow {
  /** The tfjs kernel that the nodes were lowered from. */
  readonly kernel: string;
  /** The ONNX op. */
  readonly op: string;
  /** Nodes of this kind that a step runs; those of a loop count once for each time step. */
  readonly nodes: number;
  /** Milliseconds per step, all nodes together. */
  readonly ms: number;
  /** Share of the step's time, from 0 to 1. */
  readonly share: number;
}

/** Time that one part of the model takes in a step. */
export interface ProfileLayer {
  /** A layer (`sequential_1/dense_1`), `optimizer`, a part that `nameScope` named, or `gradient of …` one of these; empty for the rest. */
  readonly layer: string;
  /** Nodes of this part that a step runs. */
  readonly nodes: number;
  /** Milliseconds per step, all nodes together. */
  readonly ms: number;
  /** Share of the step's time, from 0 to 1. */
  readonly share: number;
}

/** A profile. `toString()` is a table of the operations and one of the parts of the model, slowest first. */
export interface Profile {
  /** By operation, slowest first. */
  readonly rows: readonly ProfileRow[];
  /** By part of the model, slowest first. Where an operation serves several parts, its time counts for the first. */
  readonly layers: readonly ProfileLayer[];
  /** Milliseconds per step, over all nodes. Profiling itself slows a step: compare shares. */
  readonly ms: number;
  /** Both tables as text. */
  toString(): string;
}

/** Steps run before the clock counts, and steps that count. */
const WARM_UP = 2;
const STEPS = 10;

/**
 * Runs a program under the profiler without changing any variable.
 *
 * @param open makes an executable with the given session options; it is closed afterwards.
 */
export function profile(open: (options: SessionOptions) => Executable, data: readonly TypedArray[]): Profile {
  const directory = mkdtempSync(path.join(tmpdir(), 'orbit-profile-'));
  const executable = open({ profilePrefix: path.join(directory, 'p') });
  try {
    for (let i = 0; i < WARM_UP + STEPS; i++) executable.dryRun(data);
    const samples = executable.sessions.flatMap((session) => {
      const events = JSON.parse(readFileSync(session.endProfiling(), 'utf8')) as ProfileEvent[];
      return samplesOf(events, session.nodes);
    });
    return summarize(samples);
  } finally {
    executable.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** One run of one node. */
interface Sample {
  readonly kernel: string;
  readonly op: string;
  readonly layer: string;
  micros: number;
}

const SUFFIX = '_kernel_time';

/** The node runs of the steps that count. */
function samplesOf(events: readonly ProfileEvent[], nodes: ReadonlyMap<string, OnnxNode>): Sample[] {
  const starts = events.filter((e) => e.cat === 'Session' && e.name === 'model_run').map((e) => e.ts);
  const from = starts.sort((a, b) => a - b)[WARM_UP] ?? 0;
  const counted = events.filter((e) => e.cat === 'Node' && e.name.endsWith(SUFFIX) && e.ts >= from);
  const open: { end: number; sample: Sample }[] = []; // loops whose nodes are being listed
  const samples = counted
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur)
    .map((event) => {
      const label = event.name.slice(0, -SUFFIX.length);
      const node = nodes.get(label);
      const op = event.args?.op_name ?? '?';
      const kernel = label.includes('/') ? label.slice(0, label.indexOf('/')) : '(ONNX Runtime)';
      const sample = { kernel, op, layer: node?.call?.origin.scope ?? '', micros: event.dur };
      while (open.length > 0 && open.at(-1)!.end <= event.ts) open.pop();
      const outer = open.at(-1);
      if (outer !== undefined) outer.sample.micros -= event.dur; // a loop's own time is what its nodes leave over
      if (holdsGraph(node)) open.push({ end: event.ts + event.dur, sample });
      return sample;
    });
  return samples.map((sample) => ({ ...sample, micros: Math.max(0, sample.micros) })); // the clock counts whole microseconds
}

function holdsGraph(node: OnnxNode | undefined): boolean {
  return Object.values(node?.attributes ?? {}).some((a) => typeof a === 'object' && 'graph' in a);
}

function summarize(samples: readonly Sample[]): Profile {
  const all = samples.reduce((n, s) => n + s.micros, 0);
  const rows = group(samples, all, (s) => `${s.kernel}\n${s.op}`).map(({ key, ...row }) => {
    const [kernel, op] = key.split('\n') as [string, string];
    return { kernel, op, ...row };
  });
  const layers = group(samples, all, (s) => s.layer).map(({ key, ...row }) => ({ layer: key, ...row }));
  const text = (): string => {
    const operations = rows.map((r) => [r.kernel, r.op, ...numbers(r)]);
    const parts = layers.map((r) => [r.layer || '(no layer)', ...numbers(r)]);
    return `${table(['kernel', 'op', ...HEAD], operations)}\n\n${table(['layer', ...HEAD], parts)}`;
  };
  return { rows, layers, ms: all / STEPS / 1000, toString: text };
}

/** Sums samples that have the same key, slowest first. */
function group(
  samples: readonly Sample[],
  all: number,
  keyOf: (sample: Sample) => string,
): { key: string; nodes: number; ms: number; share: number }[] {
  const totals = new Map<string, { micros: number; calls: number }>();
  for (const sample of samples) {
    const total = totals.get(keyOf(sample)) ?? { micros: 0, calls: 0 };
    total.micros += sample.micros;
    total.calls++;
    totals.set(keyOf(sample), total);
  }
  return [...totals]
    .sort(([, a], [, b]) => b.micros - a.micros)
    .map(([key, { micros, calls }]) => ({
      key,
      nodes: calls / STEPS,
      ms: micros / STEPS / 1000,
      share: all === 0 ? 0 : micros / all,
    }));
}

const HEAD = ['nodes', 'ms', 'share'];

function numbers(row: { nodes: number; ms: number; share: number }): string[] {
  return [String(row.nodes), row.ms.toFixed(3), `${(row.share * 100).toFixed(1)} %`];
}

/** Columns of text on the left, the last three, numbers, on the right. */
function table(head: readonly string[], lines: readonly string[][]): string {
  const widths = head.map((h, i) => Math.max(h.length, ...lines.map((l) => l[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((c, i) => (i < head.length - HEAD.length ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('  ');
  return [head, ...lines].map(line).join('\n');
}
