import { describe, expect, it } from 'vitest';
import { defineConfig, extendConfig, field, oneOf, toJsonSchema, type JsonSchema } from './index.js';

const inner = defineConfig({ a: field.int(1).min(0) }, { name: 'Inner' });
const wider = extendConfig(inner, { b: field.string('x').doc('The second.') }, { name: 'Wider' });
const schema = defineConfig(
  {
    inner,
    rate: field.float(0.5).doc('The rate.'),
    maybe: field.int().optional(),
    kind: field.choice(['x', 'y']).optional(),
    list: field.list(field.float(), [1]),
    items: field.list(inner),
    paths: field.union([field.string(), field.record(field.string())], ''),
    opt: field.config(inner).optional(),
    off: field.bool(false).noEffect('there is no switch'),
  },
  { name: 'Root' },
);

describe('toJsonSchema', () => {
  it('describes every kind of field with its default and allows no others', () => {
    const innerSchema = {
      title: 'Inner',
      type: 'object',
      properties: { a: { type: 'integer', minimum: 0, default: 1 } },
      additionalProperties: false,
    };
    expect(toJsonSchema(schema)).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'Root',
      type: 'object',
      properties: {
        inner: innerSchema,
        rate: { type: 'number', default: 0.5, description: 'The rate.' },
        maybe: { type: ['integer', 'null'], default: null },
        kind: { enum: ['x', 'y', null], default: null },
        list: { type: 'array', items: { type: 'number' }, default: [1] },
        items: { type: 'array', items: innerSchema, default: [] },
        paths: { anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' } }], default: '' },
        opt: { anyOf: [innerSchema, { type: 'null' }], default: null },
        off: { type: 'boolean', default: false, description: 'No effect: there is no switch.' },
      },
      additionalProperties: false,
    });
  });

  it('takes defaults and parts from a config', () => {
    const described = toJsonSchema(schema({ inner: wider({ a: 7 }), rate: 2 })) as { properties: Record<string, JsonSchema> };
    expect(described.properties.rate!.default).toBe(2);
    expect(described.properties.inner).toMatchObject({
      title: 'Wider',
      properties: { a: { default: 7 }, b: { description: 'The second.' } },
    });
  });

  it('describes a choice by the names of its branches', () => {
    const described = toJsonSchema(oneOf({ branches: { one: inner, two: 2 } }, { name: 'Choice' })) as {
      properties: Record<string, JsonSchema>;
    };
    expect(described.properties.type).toMatchObject({ enum: ['one', 'two', null], default: null });
    expect(Object.keys(described.properties)).toEqual(['type', 'one', 'two']);
  });
});
