/** Where the time of a compiled step goes, by ONNX Runtime's own profiler. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TypedArray } from './dtype.js';
import type { Executable } from './runtime/executable.js';
import type { SessionOptions } from './runtime/session.js';

/** Time that one kind of node takes in a step. */
export interface ProfileRow {
  /** The tfjs kernel that the nodes were lowered from. */
  readonly kernel: string;
  /** The ONNX op. */
  readonly op: string;
  /** Nodes of this kind in the graph. */
  readonly nodes: number;
  /** Milliseconds per step, all nodes together. */
  readonly ms: number;
  /** Share of the step's time, from 0 to 1. */
  readonly share: number;
}

/** A profile, slowest rows first. `toString()` is a table. */
export interface Profile {
  readonly rows: readonly ProfileRow[];
  /** Milliseconds per step, over all nodes. Profiling itself slows a step: compare shares. */
  readonly ms: number;
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
    const events = executable.sessions.flatMap((s) => JSON.parse(readFileSync(s.endProfiling(), 'utf8')) as ProfileEvent[]);
    return summarize(events);
  } finally {
    executable.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

function summarize(events: readonly ProfileEvent[]): Profile {
  const totals = new Map<string, { kernel: string; op: string; micros: number; calls: number }>();
  const seen = new Map<string, number>();
  for (const event of events) {
    if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time')) continue;
    const run = (seen.get(event.name) ?? 0) + 1;
    seen.set(event.name, run);
    if (run <= WARM_UP) continue;
    const op = event.args?.op_name ?? '?';
    const kernel = event.name.includes('/') ? event.name.slice(0, event.name.indexOf('/')) : '(ONNX Runtime)';
    const key = `${kernel} ${op}`;
    const row = totals.get(key) ?? { kernel, op, micros: 0, calls: 0 };
    row.micros += event.dur;
    row.calls++;
    totals.set(key, row);
  }
  const all = [...totals.values()].reduce((n, row) => n + row.micros, 0);
  const rows = [...totals.values()]
    .sort((a, b) => b.micros - a.micros)
    .map(({ kernel, op, micros, calls }) => ({
      kernel,
      op,
      nodes: calls / STEPS,
      ms: micros / STEPS / 1000,
      share: all === 0 ? 0 : micros / all,
    }));
  return { rows, ms: all / STEPS / 1000, toString: () => table(rows) };
}

function table(rows: readonly ProfileRow[]): string {
  const lines = rows.map((r) => [r.kernel, r.op, String(r.nodes), r.ms.toFixed(3), `${(r.share * 100).toFixed(1)} %`]);
  const head = ['kernel', 'op', 'nodes', 'ms', 'share'];
  const widths = head.map((h, i) => Math.max(h.length, ...lines.map((l) => l[i]!.length)));
  const line = (cells: string[]): string => cells.map((c, i) => (i < 2 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('  ');
  return [head, ...lines].map(line).join('\n');
}
