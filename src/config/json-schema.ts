/** JSON Schema of a config, for editors and for tools that check files before a run. */
import { configDocs } from './docs.generated.js';
import { getOwn, infoOf, isConfig, toPlain } from './instance.js';
import { INFO, type AnyConfigSchema, type ConfigData, type FieldSpec, type SchemaInfo } from './types.js';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { [keyword: string]: JsonSchema | JsonSchema[] | ConfigData | undefined };

/**
 * The JSON Schema of a config schema, or of a config: its defaults are then the config's present values, and parts that
 * an experiment replaced (its task) have their own fields. Keys that are not declared are not allowed.
 */
export function toJsonSchema(of: AnyConfigSchema | object): JsonSchema {
  const schema = typeof of === 'function' ? (of as unknown as AnyConfigSchema) : null;
  const body = schema === null ? objectSchema(infoOf(of)!, of) : objectSchema(schema[INFO], null);
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...body };
}

function objectSchema(info: SchemaInfo, values: object | null): JsonSchema {
  const properties: JsonSchema = {};
  for (const [key, spec] of info.fields) {
    const value = values === null ? spec.default : getOwn(values, key);
    properties[key] = { ...describe(info, key, spec), ...nullable(spec, valueSchema(spec, value)), ...defaultOf(value) };
  }
  return {
    title: info.name,
    ...(docOf(info) !== '' && { description: docOf(info) }),
    type: 'object',
    properties,
    additionalProperties: false,
  };
}

function describe(info: SchemaInfo, key: string, spec: FieldSpec): JsonSchema {
  const notes = spec.support.map((rule) => {
    const values = rule.when === undefined ? '' : ' for some values';
    return rule.level === 'no_effect' ? `No effect${values}: ${rule.reason}.` : `Refused${values}: ${rule.reason}.`;
  });
  const description = [fieldDoc(info, key, spec), ...notes].filter((text) => text !== '').join(' ');
  return description === '' ? {} : { description };
}

/** The documentation of a field: what `.doc()` says, else the comment above it in its schema or the one that this extends. */
export function fieldDoc(info: SchemaInfo, key: string, spec: FieldSpec): string {
  if (spec.doc !== null) return spec.doc;
  for (let at: SchemaInfo | null = info; at !== null; at = at.base) {
    const doc = configDocs[at.name]?.fields[key];
    if (doc !== undefined) return doc;
  }
  return '';
}

function docOf(info: SchemaInfo): string {
  return configDocs[info.name]?.doc ?? '';
}

/** Parts of a config have their defaults inside; all other fields show theirs. JSON has no infinity. */
function defaultOf(value: unknown): JsonSchema {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return {};
  if (isConfig(value)) return infoOf(value)!.isGeneric ? { default: toPlain(value) } : {};
  if (Array.isArray(value))
    return { default: value.map((element: unknown) => (isConfig(element) ? toPlain(element) : (element as ConfigData))) };
  return { default: value as ConfigData };
}

function nullable(spec: FieldSpec, schema: JsonSchema): JsonSchema {
  // Files clear a text whose default is empty with null.
  if (!spec.nullable && !(spec.default === '' && schema.type === 'string')) return schema;
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...(schema.enum as ConfigData[]), null] };
  if (typeof schema.type === 'string' && schema.type !== 'object') return { ...schema, type: [schema.type, 'null'] };
  return { anyOf: [schema, { type: 'null' }] };
}

function valueSchema(spec: FieldSpec, value: unknown): JsonSchema {
  const { shape } = spec;
  switch (shape.kind) {
    case 'int':
    case 'float':
      return {
        type: shape.kind === 'int' ? 'integer' : 'number',
        ...(shape.min !== undefined && { minimum: shape.min }),
        ...(shape.max !== undefined && { maximum: shape.max }),
      };
    case 'number':
      return { type: 'number' };
    case 'bool':
      return { type: 'boolean' };
    case 'string':
      return { type: 'string' };
    case 'choice':
      return { enum: [...shape.choices] };
    case 'list':
      return { type: 'array', items: nullable(shape.element, valueSchema(shape.element, undefined)) };
    case 'config':
      return isConfig(value) ? objectSchema(infoOf(value)!, value) : objectSchema(shape.schema, null);
    case 'record': {
      const info = infoOf(value);
      if (info !== null && !info.isGeneric) return objectSchema(info, value as object);
      return {
        type: 'object',
        additionalProperties: shape.element === null ? true : nullable(shape.element, valueSchema(shape.element, undefined)),
      };
    }
    case 'union':
      return { anyOf: shape.options.map((option) => nullable(option, valueSchema(option, undefined))) };
    case 'custom':
      return {};
    default:
      return shape satisfies never;
  }
}
