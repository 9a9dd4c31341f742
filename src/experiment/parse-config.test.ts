import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLocked } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { experimentConfig } from './config.js';
import { resolveExperimentConfig } from './parse-config.js';

describe('resolveExperimentConfig', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'parse-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  it('lets files, flags and overrides count in this order', () => {
    const config = resolveExperimentConfig({
      base: experimentConfig({ trainer: { train_steps: 1, steps_per_loop: 1, max_to_keep: 1, validation_steps: 1 } }),
      configFiles: [
        file('a.yaml', 'trainer: {steps_per_loop: 2, max_to_keep: 2, validation_steps: 2}'),
        file('b.json', '{"trainer": {"max_to_keep": 3, "validation_steps": 3}}'),
      ],
      paramsOverride: 'trainer.validation_steps=4',
    });
    expect([
      config.trainer.train_steps,
      config.trainer.steps_per_loop,
      config.trainer.max_to_keep,
      config.trainer.validation_steps,
    ]).toEqual([1, 2, 3, 4]);
  });

  it('always replaces runtime.tpu by the flag, so that only the override can set it', () => {
    const configFiles = [file('tpu.yaml', 'runtime: {tpu: from-file}')];
    const base = experimentConfig({ runtime: { tpu: 'from-experiment' } });
    expect(resolveExperimentConfig({ base, configFiles }).runtime.tpu).toBeNull();
    expect(resolveExperimentConfig({ base, configFiles, tpu: '' }).runtime.tpu).toBeNull();
    expect(resolveExperimentConfig({ base, configFiles, tpu: 'flag' }).runtime.tpu).toBe('flag');
    expect(resolveExperimentConfig({ base, configFiles, tpu: 'flag', paramsOverride: 'runtime.tpu=own' }).runtime.tpu).toBe('own');
  });

  it('gives the address of a data service to training and validation data', () => {
    const { task } = resolveExperimentConfig({ base: experimentConfig(), tfDataService: 'host:1' });
    expect([task.train_data.tf_data_service_address, task.validation_data.tf_data_service_address]).toEqual(['host:1', 'host:1']);
  });

  it('leaves the base alone and locks the result unless told otherwise', () => {
    const base = experimentConfig();
    const locked = resolveExperimentConfig({ base, paramsOverride: { trainer: { train_steps: 9 } } });
    expect(base.trainer.train_steps).toBe(0);
    expect(isLocked(locked)).toBe(true);
    expect(isLocked(resolveExperimentConfig({ base, lock: false }))).toBe(false);
  });

  it('names the source of an error', () => {
    const bad = file('bad.yaml', 'trainer: {train_step: 3}');
    const failure = (sources: object): ConfigError => {
      try {
        resolveExperimentConfig({ base: experimentConfig({}, { restrictions: ['trainer.train_steps < 10'] }), ...sources });
      } catch (error) {
        if (error instanceof ConfigError) return error;
      }
      throw new Error('expected a ConfigError');
    };
    const inFile = failure({ configFiles: [bad] });
    expect(inFile.message).toBe(`Config file ${bad}: trainer.train_step: no such field in TrainerConfig. Did you mean "train_steps"?`);
    expect(inFile.path).toBe('trainer.train_step');
    expect(failure({ paramsOverride: 'trainer.x=1' }).message).toMatch(/^Parameter override: trainer\.x: /);
    expect(failure({ paramsOverride: 'trainer.train_steps=11' }).message).toMatch(/^Final config: trainer\.train_steps: the restriction/);
  });
});
