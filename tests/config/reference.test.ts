/** Overrides recorded from Model Garden's config classes; `docs/differences.md` explains the cases that differ. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  addRestrictions,
  cloneConfig,
  defineConfig,
  extendConfig,
  field,
  genericConfig,
  lockConfig,
  oneOf,
  overrideParams,
  selectedBranch,
  toPlain,
  toYaml,
  validateConfig,
} from '../../src/config/index.js';
import { dataConfig } from '../../src/data/config.js';
import { ConfigError } from '../../src/errors.js';
import { baseExperimentConfig, runtimeConfig, trainerConfig } from '../../src/experiment/config.js';
import { optimizationConfig } from '../../src/optimization/config.js';

type Data = Record<string, unknown>;
type Call =
  | { do: 'override_params_dict'; source: string | Data | null; is_strict: boolean }
  | { do: 'override'; mapping: Data; is_strict: boolean }
  | { do: 'replace'; mapping: Data }
  | { do: 'set'; path: string; value: unknown }
  | { do: 'get_oneof'; path: string }
  | { do: 'lock' | 'validate' };
interface Expected {
  as_dict?: Data;
  key_order?: string[];
  yaml?: string;
  returned?: unknown[];
  error?: string;
  failed_call?: number;
}
interface Case {
  name: string;
  config: { class: string; base: Data; restrictions?: string[] };
  inputs: { calls: Call[] };
  expected: Expected;
}

const d1 = defineConfig({ a: field.int(1), b: 'text' }, { name: 'D1' });
const d2 = defineConfig({ c: field.int(2), d: 'text', e: d1, opt: field.config(d1).optional() }, { name: 'D2' });
const d3 = extendConfig(d2, { h: field.list(d1, [{}, {}]), g: field.list(d1, [{}]) }, { name: 'D3' });
const d4 = extendConfig(d2, { x: field.int(3) }, { name: 'D4' });
const d5 = defineConfig({ y: field.list(d2, [d2(), d4()]), z: field.list(field.string(), ['a']) }, { name: 'D5' });
const resnet = defineConfig({ model_depth: field.int(50), stem: 'v0' }, { name: 'Resnet' });
const backbone = oneOf({ type: 'resnet', branches: { resnet, mobilenet: d1, depth: field.int(7) } }, { name: 'Backbone' });
const net = defineConfig({ backbone, head: d1, scale: field.float(1), names: ['x', 'y'], flag: false }, { name: 'Net' });

const CLASSES: Record<string, (base: Data) => object> = {
  ParamsDict: genericConfig,
  Config: genericConfig,
  D1: d1,
  D2: d2,
  D3: d3,
  D5: d5,
  Backbone: backbone,
  Net: net,
  OptimizationConfig: optimizationConfig,
  TrainerConfig: trainerConfig,
  RuntimeConfig: runtimeConfig,
  DataConfig: dataConfig,
  ExperimentConfig: baseExperimentConfig,
};

/** What happens here in the cases that differ by design; the section "Configuration" of docs/differences.md gives the reasons. */
const DIFFERENT: Record<string, { failsAt?: string; values?: Record<string, unknown> }> = {
  csv_float_without_exponent_sign: { values: { f: 1500 } },
  paramsdict_scalar_by_mapping: { values: { a: { x: 1 } } },
  config_no_coercion: { failsAt: 'c' },
  config_typo_in_null_block_accepted: { failsAt: 'opt.zz' },
  config_list_same_length_typo: { failsAt: 'h[1].zz', values: { 'h.0.a': 1 } },
  config_set_attribute_mapping_strict: { failsAt: 'e.q' },
  config_set_new_attribute: { failsAt: 'new' },
  paramsdict_set_new_attribute: { values: { new: 3 } },
  lock_is_shallow: { failsAt: 'e.a' },
  oneof_bad_type: { failsAt: 'backbone.type' },
  oneof_get_bad_type: { failsAt: 'type' },
  optimization_ema_typo: { failsAt: 'ema.averge_decay' },
  optimization_exponents_as_text: { values: { 'learning_rate.constant.learning_rate': 1500 } },
  experiment_params_override: { values: { 'runtime.distribution_strategy': 'off' } },
  experiment_strategy_off_yaml: { values: { 'runtime.distribution_strategy': 'off' } },
};

/** Cases whose values agree and whose text differs: tuples are written as lists, floats always with a dot. */
const DIFFERENT_YAML = new Set([
  'config_list_same_length',
  'config_list_other_length',
  'config_tuple_same_length',
  'config_tuple_of_strings',
  'config_tuple_of_subclasses',
  'config_sequence_of_strings_by_mapping',
  'optimization_sgd_cosine',
]);

function at(config: object, path: string[]): object {
  return path.reduce<object>((value, key) => (value as Record<string, object>)[key]!, config);
}

function apply(config: object, call: Call, returned: unknown[]): object {
  switch (call.do) {
    case 'override_params_dict':
      return overrideParams(config, call.source, { strict: call.is_strict });
    case 'override':
      return overrideParams(config, call.mapping, { strict: call.is_strict });
    case 'replace':
      return overrideParams(cloneConfig(config), call.mapping);
    case 'lock':
      return lockConfig(config);
    case 'validate':
      return validateConfig(config);
    case 'set': {
      const path = call.path.split('.');
      const key = path.pop()!;
      (at(config, path) as Data)[key] = call.value;
      return validateConfig(config);
    }
    case 'get_oneof': {
      const value: unknown = selectedBranch(at(config, call.path === '' ? [] : call.path.split('.')) as { type: string | null });
      returned.push(typeof value === 'object' && value !== null ? toPlain(value) : value);
      return config;
    }
  }
}

/** Tuples of the reference are lists here. */
function untuple(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untuple);
  if (typeof value !== 'object' || value === null) return value;
  if ('tuple' in value) return untuple(value.tuple);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, untuple(inner)]));
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/config_overrides.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** The fields of a config that the reference has, by the recording of its defaults. */
const recordedFields = (name: string): string[] => Object.keys(fixture.cases.find((one) => one.name === name)!.expected.as_dict!);

/** Fields that only we have. */
function ownFields(plain: Data, recording: string): string[] {
  const known = recordedFields(recording);
  return Object.keys(plain).filter((key) => !known.includes(key));
}

/** Removes the fields of ours that the reference does not have. */
function withoutOwnFields(type: string, plain: Data): Data {
  const runtime = type === 'RuntimeConfig' ? plain : type === 'ExperimentConfig' ? (plain.runtime as Data) : {};
  for (const key of ownFields(runtime, 'runtime_defaults')) delete runtime[key];
  const trainer = type === 'TrainerConfig' ? plain : type === 'ExperimentConfig' ? (plain.trainer as Data) : {};
  for (const key of ownFields(trainer, 'trainer_defaults')) delete trainer[key];
  const optimization = type === 'OptimizationConfig' ? plain : ((trainer.optimizer_config as Data | null | undefined) ?? {});
  delete optimization.learning_rate_multipliers;
  return plain;
}

/** The recorded data with the values that are different here. */
function expectedData(data: Data, values: Record<string, unknown>): Data {
  const copy = untuple(data) as Data;
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.');
    const key = keys.pop()!;
    (at(copy, keys) as Data)[key] = value;
  }
  return copy;
}

it.each([...Object.keys(DIFFERENT), ...DIFFERENT_YAML])('docs/differences.md names the case %s', (name) => {
  expect(readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8')).toContain(`\`${name}\``);
});

describe('overrides recorded from the reference', () => {
  it.each(fixture.cases)('$name', ({ name, config: { class: type, base, restrictions }, inputs, expected }) => {
    let config = CLASSES[type]!(base);
    if (restrictions !== undefined) addRestrictions(config, restrictions);
    const returned: unknown[] = [];
    let failure: { call: number; error: unknown } | null = null;
    for (const [i, call] of inputs.calls.entries()) {
      try {
        config = apply(config, call, returned);
      } catch (error) {
        failure = { call: i, error };
        break;
      }
    }
    if (failure !== null) expect(failure.error).toBeInstanceOf(ConfigError);

    const differs = DIFFERENT[name];
    if (differs?.failsAt !== undefined) expect((failure?.error as ConfigError | undefined)?.path).toBe(differs.failsAt);
    else if (differs === undefined) expect(failure?.call).toBe(expected.failed_call);
    if (differs?.failsAt !== undefined && differs.values === undefined) return;

    const plain = withoutOwnFields(type, toPlain(config));
    expect(plain).toEqual(expectedData(expected.as_dict!, differs?.values ?? {}));
    if (differs !== undefined) return;
    expect(Object.keys(plain)).toEqual(expected.key_order);
    expect(returned).toEqual(expected.returned ?? []);
    if (DIFFERENT_YAML.has(name)) return;
    expect(toYaml(withoutOwnFields(type, cloneConfig(config) as Data))).toBe(expected.yaml);
  });
});
