import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoint } from '../checkpoint/index.js';
import { CheckpointError, ConfigError } from '../errors.js';
import type { Output } from '../orbit/index.js';
import { BestCheckpointExporter } from './index.js';

interface Call {
  step: number;
  logs: Output;
  new_exporter?: boolean;
  new_checkpoint?: boolean;
  other_saves?: number;
}
interface Result {
  exported?: boolean;
  error?: string;
  checkpoints: string[];
  info_json: string;
  best_ckpt_path: string;
}
interface Case {
  name: string;
  config: { metric_name: string; metric_comp: string };
  inputs: { calls: Call[] };
  expected: { results?: Result[]; error?: string };
}
const text = readFileSync(new URL('../../tests/fixtures/best_checkpoint.json', import.meta.url), 'utf8');
const { cases } = JSON.parse(text, (_key, v: unknown) => (v === 'NaN' ? NaN : v)) as { cases: Case[] };

let directory: string;
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-best-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The reference writes bare NaN, which JSON lacks; we write it as a text. */
const parsed = (info: string): unknown => JSON.parse(info.replace(/: NaN/g, ': "NaN"'));

describe('BestCheckpointExporter', () => {
  it.each(cases.map((c) => [c.name, c] as const))('does what the reference did: %s', async (_name, { config, inputs, expected }) => {
    const exportDir = path.join(directory, 'best');
    const make = (): BestCheckpointExporter => new BestCheckpointExporter(exportDir, config.metric_name, config.metric_comp);
    if (expected.error !== undefined) return expect(make).toThrow(ConfigError);
    let exporter = make();
    expect(existsSync(exportDir)).toBe(true);
    let checkpoint = new Checkpoint({ global_step: { value: 0, assign() {} } });
    for (const [i, call] of inputs.calls.entries()) {
      const result = expected.results![i]!;
      if (call.new_exporter) exporter = make();
      if (call.new_checkpoint) checkpoint = new Checkpoint({ global_step: { value: 0, assign() {} } });
      for (let n = 0; n < (call.other_saves ?? 0); n++) await checkpoint.save(path.join(directory, 'other/ckpt'));
      const exported = exporter.maybeExportCheckpoint(checkpoint, call.logs, call.step);
      if (result.error !== undefined) await expect(exported).rejects.toThrow(/The logs|of the logs/);
      else expect(await exported).toBe(result.exported);
      expect(readdirSync(exportDir).filter((f) => f.startsWith('best_ckpt-'))).toEqual(result.checkpoints);
      expect(parsed(readFileSync(path.join(exportDir, 'info.json'), 'utf8'))).toEqual(parsed(result.info_json));
      expect(path.basename((await exporter.bestCkptPath)!)).toBe(result.best_ckpt_path);
    }
  });

  it('names a damaged info.json and what to do', async () => {
    const exporter = new BestCheckpointExporter(directory, 'accuracy', 'higher');
    await exporter.maybeExportCheckpoint(new Checkpoint({ global_step: { value: 0, assign() {} } }), { accuracy: 1 }, 1);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(exporter.bestCkptLogsPath, '{"accuracy": ');
    expect(() => new BestCheckpointExporter(directory, 'accuracy', 'higher')).toThrow(CheckpointError);
  });
});
