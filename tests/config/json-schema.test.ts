/** The JSON Schema of an experiment against another implementation of the standard: it accepts what a config accepts, and no more. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { fromYaml, parseYaml, toJsonSchema, toYaml } from '../../src/config/index.js';
import { ConfigError } from '../../src/errors.js';
import { experimentConfig, taskConfig } from '../../src/experiment/config.js';
import { getExperimentConfig } from '../../src/experiment/registry.js';
import '../../src/tasks/index.js';

const mnist = (): object => getExperimentConfig('mnist_mlp');
const compile = (config: object): ((data: unknown) => boolean) =>
  new Ajv2020({ strict: true, allowUnionTypes: true }).compile(toJsonSchema(config));

describe('the JSON Schema of an experiment', () => {
  const isValid = compile(mnist());

  it('accepts the file that the config itself writes', () => {
    expect(isValid(parseYaml(toYaml(mnist()), 'own'))).toBe(true);
    expect(isValid({})).toBe(true);
  });

  it.each([
    ['trainer: {train_step: 3}', false],
    ['trainer: {train_steps: 3}', true],
    ['trainer: {train_steps: many}', false],
    ['trainer: {train_steps: 0.5}', false],
    ['trainer: {train_steps: null}', false],
    ['trainer: {steps_per_loop: 0}', false],
    ['trainer: {continuous_eval_timeout: null}', true],
    ['trainer: {optimizer_config: {ema: null}}', true],
    ['trainer: {optimizer_config: {ema: {average_decay: 0.9}}}', true],
    ['trainer: {optimizer_config: {ema: {averge_decay: 0.9}}}', false],
    ['trainer: {optimizer_config: {optimizer: {type: adamw}}}', true],
    ['trainer: {optimizer_config: {optimizer: {type: adamww}}}', false],
    ['trainer: {optimizer_config: {learning_rate: {stepwise: {boundaries: [1], values: [0.1, 1]}}}}', true],
    ['trainer: {optimizer_config: {learning_rate: {stepwise: {boundaries: 1}}}}', false],
    ['runtime: {loss_scale: dynamic}', true],
    ['runtime: {loss_scale: 8}', true],
    ['runtime: {loss_scale: fast}', false],
    ['task: {init_checkpoint: null}', true],
    ['task: {train_data: {input_path: [a, b]}}', true],
    ['task: {train_data: {input_path: {a: b}}}', true],
    ['task: {train_data: {input_path: 3}}', false],
    ['task: {model: {mlp: {hidden_units: [1, 2]}}}', true],
    ['task: {model: {mlp: {hidden_units: [1, two]}}}', false],
    ['task: 3', false],
  ])('agrees with the config about %j', (text, valid) => {
    expect(isValid(parseYaml(text, 'file'))).toBe(valid);
    const load = (): unknown => fromYaml(mnist(), text);
    if (valid) expect(load).not.toThrow();
    else expect(load).toThrow(ConfigError);
  });

  it('has a description for every field, also those of a task of one’s own', () => {
    const own = taskConfig({ units: 3 }, { name: 'OwnTask' });
    const schema = toJsonSchema(experimentConfig({ task: own() })) as {
      properties: Record<string, { properties: Record<string, { description?: string }> }>;
    };
    const silent = Object.entries(schema.properties).flatMap(([part, { properties }]) =>
      Object.entries(properties)
        .filter(([, field]) => !field.description)
        .map(([name]) => `${part}.${name}`),
    );
    expect(silent).toEqual(['task.units']);
  });
});

describe('files of Model Garden', () => {
  const folder = path.resolve(import.meta.dirname, '../fixtures/model-garden');
  const isValid = compile(experimentConfig());

  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('%s: trainer and runtime pass', (name) => {
    const { trainer, runtime } = parseYaml(readFileSync(path.join(folder, name), 'utf8'), name) as Record<string, unknown>;
    expect(isValid({ ...(trainer ? { trainer } : {}), ...(runtime ? { runtime } : {}) })).toBe(true);
  });
});
