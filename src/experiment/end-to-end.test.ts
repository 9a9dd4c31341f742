import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overrideParams } from '../config/index.js';
import type { Output } from '../orbit/index.js';
import { experimentConfig, getTask, OrbitExperimentRunner } from './index.js';
import type { ExperimentConfig, RunnerOptions } from './index.js';
import { ToyTask, toyTask } from './toy-task.testing.js';
import type { ToyData, ToyLayer } from './toy-task.testing.js';

interface RunSpec {
  mode: string;
  run_post_eval?: boolean;
  save_summary?: boolean;
  params_override?: string;
}
interface ExpectedRun {
  restored: string | null;
  returned_logs?: Record<string, number>;
  returned_keys?: string[];
  final_step?: number;
  final_weights?: { kernel: number[][]; bias: number[] }[];
  initialize_calls: number;
  events: ['train' | 'eval', number, Record<string, number>][];
  files: string[];
  state_files: Record<string, string>;
  info_json?: Record<string, string>;
  error?: string;
}
interface Case {
  name: string;
  config: object;
  inputs: { layers: ToyLayer[]; train: ToyData; validation: ToyData; runs: RunSpec[] };
  expected: { runs: ExpectedRun[] };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/end_to_end.json', import.meta.url), 'utf8')) as { cases: Case[] };

let modelDir: string;
beforeEach(() => void (modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-e2e-'))));
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

/** Files below a directory: a checkpoint is one entry, event files lose their stamp. */
function listFiles(directory: string, prefix = ''): string[] {
  return readdirSync(path.join(directory, prefix)).flatMap((name) => {
    const file = prefix === '' ? name : `${prefix}/${name}`;
    if (/-\d+$/.test(name)) return [file];
    if (statSync(path.join(directory, file)).isDirectory()) return listFiles(directory, file);
    return [file.replace(/events\.out\.tfevents\..*/, 'events.out.tfevents.*')];
  });
}

/** The reference's list in the same form: index and data files of a checkpoint are one entry. */
function expectedFiles(files: string[]): string[] {
  return files.filter((f) => !/\.data-\d+-of-\d+$/.test(f)).map((f) => f.replace(/\.index$/, '').replace(/\*\.v2$/, '*'));
}

async function run(spec: RunSpec, config: object, more: Partial<RunnerOptions> = {}) {
  const params = experimentConfig({ task: toyTask() }) as ExperimentConfig;
  overrideParams(params, config);
  overrideParams(params, spec.params_override ?? '');
  params.trainer.resume_data = 'restart'; // as the reference does
  const events: [string, number, Output][] = [];
  const task = getTask(params.task) as ToyTask;
  const note =
    (kind: string) =>
    (output: Output): void =>
      void events.push([kind, runner.trainer.globalStep.value, { ...output }]);
  const runner: OrbitExperimentRunner = new OrbitExperimentRunner({
    task,
    mode: spec.mode,
    params,
    modelDir,
    runPostEval: spec.run_post_eval ?? false,
    saveSummary: spec.save_summary ?? true,
    trainActions: [note('train')],
    evalActions: [note('eval')],
    reporter: {},
    log: () => {},
    ...more,
  });
  const outcome = await runner.run().catch((error: unknown) => error as Error);
  return { runner, task, events, outcome };
}

function expectLogs(actual: Output, expected: Record<string, number>, relative: number, where = ''): void {
  const withoutSpeed = (logs: object): string[] => Object.keys(logs).filter((key) => key !== 'steps_per_second');
  expect(withoutSpeed(actual)).toEqual(withoutSpeed(expected));
  for (const [key, value] of Object.entries(expected)) {
    if (key === 'steps_per_second') continue;
    const difference = Math.abs((actual[key] as number) - Number(value));
    expect(difference, `${where}: ${key}: ${String(actual[key])} instead of ${value}`).toBeLessThanOrEqual(
      relative * Math.abs(Number(value)) + 1e-5,
    );
  }
}

describe('runs of the reference', () => {
  it.each(cases.filter((c) => c.name !== 'mode_not_implemented').map((c) => [c.name, c] as const))(
    '%s',
    async (name, { config, inputs, expected }) => {
      ToyTask.inputs = inputs;
      for (const [i, spec] of inputs.runs.entries()) {
        const reference = expected.runs[i]!;
        const relative = /divergence|rollback/.test(name) ? 1e-3 : 1e-5;
        const { runner, task, events, outcome } = await run(spec, config);
        if (reference.error === undefined && outcome instanceof Error) throw outcome;
        expect(runner.resumedFrom === null ? null : path.basename(runner.resumedFrom)).toBe(reference.restored);
        expect(task.initializeCalls).toBe(reference.initialize_calls);
        expect(events.map(([kind, step]) => [kind, step])).toEqual(reference.events.map(([kind, step]) => [kind, step]));
        for (const [j, [, , logs]] of reference.events.entries()) expectLogs(events[j]![2], logs, relative, `run ${i}, event ${j}`);
        if (reference.error !== undefined) expect(outcome).toBeInstanceOf(Error);
        else if (outcome instanceof Error) throw outcome;
        else {
          expectLogs(outcome.evalLogs, reference.returned_logs!, relative);
          expect(Object.keys(outcome.evalLogs)).toEqual(reference.returned_keys);
          expect(runner.trainer.globalStep.value).toBe(reference.final_step);
        }
        const ours = listFiles(modelDir).filter((f) => !/^result\..*json$|^result\.json$|^\.orbit-/.test(f));
        expect(ours.sort()).toEqual(expectedFiles(reference.files).sort());
        for (const [file, text] of Object.entries(reference.state_files)) {
          expect(readFileSync(path.join(modelDir, file), 'utf8').replace(/[\d.]+$/gm, '#')).toBe(text);
        }
        for (const [file, text] of Object.entries(reference.info_json ?? {})) {
          const info = JSON.parse(readFileSync(path.join(modelDir, file), 'utf8')) as Output;
          expectLogs(info, JSON.parse(text) as Record<string, number>, relative);
        }
      }
    },
  );
});
