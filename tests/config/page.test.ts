/** docs/config.md is written from the schemas: `npm run docs`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkSupported, configNotices, toYaml } from '../../src/config/index.js';
import { configDocs } from '../../src/config/docs.generated.js';
import { INFO, type AnyConfigSchema, type FieldSpec } from '../../src/config/types.js';
import { baseExperimentConfig } from '../../src/experiment/config.js';
import { multiTaskConfig, multiTaskTrainerConfig, taskRoutine } from '../../src/experiment/multitask/config.js';
import { progressiveTrainerConfig } from '../../src/experiment/progressive/config.js';
import { schemasFrom, table } from './page.js';

const schemas = schemasFrom([baseExperimentConfig, taskRoutine, multiTaskConfig, multiTaskTrainerConfig, progressiveTrainerConfig]);
const intro = readFileSync(new URL('config-intro.md', import.meta.url), 'utf8');

/** A value that a field accepts and that is not its default; undefined where none can be made up. */
function otherValue({ shape, default: value }: FieldSpec): unknown {
  switch (shape.kind) {
    case 'bool':
      return value !== true;
    case 'int':
    case 'float':
    case 'number':
      return Number(value ?? 0) + 3;
    case 'string':
      return 'something';
    case 'choice':
      return shape.choices.find((choice) => choice !== value);
    case 'config':
      return {};
    case 'union':
      return otherValue({ ...shape.options[0]!, default: value });
    default:
      return undefined;
  }
}

describe('docs/config.md', () => {
  it('has a table for every config of an experiment, true to the schemas (`npm run docs` writes it anew)', async () => {
    const tables = schemas.map((schema) => {
      const doc = configDocs[schema.schemaName]?.doc ?? '';
      return `### ${schema.schemaName}\n\n${doc === '' ? '' : `${doc}\n\n`}${table(schema)}\n`;
    });
    await expect(`${intro}\n${tables.join('\n')}`).toMatchFileSnapshot('../../docs/config.md');
  });

  it('says of every field what it means', () => {
    const silent = schemas.flatMap((schema) =>
      table(schema)
        .split('\n')
        .filter((line) => /\|\s*\|$/.test(line))
        .map((line) => `${schema.schemaName}: ${line}`),
    );
    expect(silent).toEqual([]);
  });

  const ruled = schemas.flatMap((schema) =>
    [...schema[INFO].fields]
      .filter(([, spec]) => spec.support.some((rule) => rule.when === undefined))
      .map(([key, spec]) => [schema, key, spec] as const),
  );

  it.each(ruled.map(([schema, key, spec]) => [`${schema.schemaName}.${key}`, schema, key, spec] as const))(
    'tells the truth about %s: it is refused, or has one notice',
    (_name, schema, key, spec) => {
      const rule = spec.support.find((one) => one.when === undefined)!;
      const isBranch = schema[INFO].isOneOf;
      const config = (schema as unknown as (values: object) => object)(isBranch ? { type: key } : { [key]: otherValue(spec) });
      if (rule.level === 'refused') expect(() => checkSupported(config)).toThrow(rule.reason);
      else expect(configNotices(config)).toEqual([expect.stringContaining(rule.reason)]);
      expect(toYaml(config)).toContain(isBranch ? `type: ${key}` : `${key}:`);
    },
  );

  it('knows fields of all three kinds', () => {
    const kinds = (level: string): number =>
      (schemas as AnyConfigSchema[]).flatMap((s) => [...s[INFO].fields.values()]).filter((f) => f.support.some((r) => r.level === level))
        .length;
    expect(kinds('no_effect')).toBeGreaterThan(10);
    expect(kinds('refused')).toBeGreaterThan(10);
  });
});
