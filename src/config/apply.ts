/** Putting values into configs: the one path by which factories, overrides, validation and locking change a field. */
import { ConfigError } from '../errors.js';
import { coerceScalar, mismatch } from './coerce.js';
import { genericInfo } from './generic.js';
import { copyValue, extendsSchema, extrasOf, getOwn, infoOf, instantiate, isConfig, isMapping, setOwn, unknownField } from './instance.js';
import { describeValue, joinPath } from './suggest.js';
import type { FieldSpec, SchemaInfo, Shape } from './types.js';

/** Names that no config may have as keys. */
const RESERVED = new Set(['_locked', '_restrictions', '__proto__']);

/**
 * Merges a mapping into a config, in ascending order of its keys. Unknown keys are errors when `strict`, else they are
 * added. `undefined` values are skipped. Nothing is undone on an error: callers try on a copy first.
 */
export function mergeInto(config: object, source: Record<string, unknown>, path: string, strict: boolean): void {
  const info = infoOf(config)!;
  for (const key of Object.keys(source).sort()) {
    const value = source[key];
    const at = joinPath(path, key);
    if (RESERVED.has(key)) throw new ConfigError(`${at}: this name is reserved and cannot be a field.`, { path: at });
    if (value === undefined) continue;
    const spec = info.fields.get(key);
    if (spec !== undefined) {
      setOwn(config, key, assignField(spec, getOwn(config, key), value, at));
      continue;
    }
    if (!Object.hasOwn(config, key)) {
      if (strict) throw unknownField(info, key, path, info.isGeneric ? Object.keys(config) : undefined);
      if (!info.isGeneric) (extrasOf(config).added ??= new Set()).add(key);
    }
    setOwn(config, key, assignGeneric(getOwn(config, key), value, at, strict));
  }
}

/** A new config of a schema, filled strictly from a mapping. */
export function createConfig(info: SchemaInfo, values: Record<string, unknown>, path: string): object {
  const config = instantiate(info);
  mergeInto(config, values, path, !info.isGeneric);
  return config;
}

/**
 * The value that a declared field takes when `value` is given: a mapping merges into a config that is already there,
 * a list of mappings merges into a list of configs of the same length, everything else replaces.
 */
export function assignField(spec: FieldSpec, current: unknown, value: unknown, path: string): unknown {
  const { shape } = spec;
  if (value === null || value === undefined) {
    if (spec.nullable) return null;
    if (spec.default === '') return ''; // Files clear a text with null; an empty one means "not set".
    throw mismatch(shape, null, path, ' Give it a value, or leave the line out to keep the default.');
  }
  switch (shape.kind) {
    case 'list':
      return assignList(shape, current, value, path, spec.nullable);
    case 'config':
      return assignConfig(shape, current, value, path, spec.nullable);
    case 'record':
      return assignRecord(shape, current, value, path, spec.nullable);
    case 'union':
      return assignUnion(spec, shape.options, current, value, path);
    default:
      return coerceScalar(shape, value, path, spec.nullable);
  }
}

function assignConfig(
  shape: Extract<Shape, { kind: 'config' }>,
  current: unknown,
  value: unknown,
  path: string,
  nullable: boolean,
): object {
  const given = infoOf(value);
  if (given !== null) {
    if (extendsSchema(given, shape.schema)) return copyValue(value) as object;
    throw new ConfigError(`${path}: expected a config of ${shape.schema.name} or one that extends it, got one of ${given.name}.`, { path });
  }
  if (!isMapping(value)) throw mismatch(shape, value, path, mappingHint(value), nullable);
  if (isConfig(current)) {
    mergeInto(current, value, path, true);
    return current;
  }
  return createConfig(shape.schema, value, path);
}

function mappingHint(value: unknown): string {
  const slip = typeof value === 'string' ? /^(\w+):(\S+)$/.exec(value) : null;
  return slip === null ? '' : ` Write a blank after the colon: ${slip[1]}: ${slip[2]}.`;
}

function assignList(shape: Extract<Shape, { kind: 'list' }>, current: unknown, value: unknown, path: string, nullable: boolean): unknown[] {
  if (!Array.isArray(value)) throw mismatch(shape, value, path, isMapping(value) ? '' : ' Write it in brackets: [value].', nullable);
  const merge = Array.isArray(current) && current.length === value.length;
  return value.map((element, i) => assignField(shape.element, merge ? current[i] : undefined, element, `${path}[${i}]`));
}

function assignRecord(
  shape: Extract<Shape, { kind: 'record' }>,
  current: unknown,
  value: unknown,
  path: string,
  nullable: boolean,
): object {
  if (isConfig(value) && !infoOf(value)!.isGeneric) return copyValue(value) as object;
  const source = isConfig(value) ? (value as Record<string, unknown>) : value;
  if (!isConfig(source) && !isMapping(source)) throw mismatch(shape, value, path, '', nullable);
  if (isConfig(current) && !infoOf(current)!.isGeneric) {
    mergeInto(current, source as Record<string, unknown>, path, true);
    return current;
  }
  const record = isConfig(current) ? current : instantiate(genericInfo);
  if (shape.element === null) mergeInto(record, source as Record<string, unknown>, path, false);
  else mergeElements(record, shape.element, source as Record<string, unknown>, path);
  return record;
}

function mergeElements(record: object, element: FieldSpec, source: Record<string, unknown>, path: string): void {
  for (const key of Object.keys(source).sort()) {
    const at = joinPath(path, key);
    if (RESERVED.has(key)) throw new ConfigError(`${at}: this name is reserved and cannot be a field.`, { path: at });
    setOwn(record, key, assignField(element, getOwn(record, key), source[key], at));
  }
}

function assignUnion(spec: FieldSpec, options: readonly FieldSpec[], current: unknown, value: unknown, path: string): unknown {
  let nearest: unknown = null;
  for (const option of options) {
    try {
      return assignField(option, current, value, path);
    } catch (error) {
      // A deeper path means that the option had the right kind and failed inside it: that message helps most.
      if (error instanceof ConfigError && error.path !== path) nearest = error;
      else if (!(error instanceof ConfigError)) throw error;
    }
  }
  if (nearest !== null) throw nearest as ConfigError;
  throw mismatch(spec.shape, value, path, '', spec.nullable);
}

/** The value that an undeclared key takes: scalars and flat lists as they are, mappings as free-form configs. */
export function assignGeneric(current: unknown, value: unknown, path: string, strict: boolean): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw new ConfigError(`${path}: expected a number, got NaN.`, { path });
    return value;
  }
  if (Array.isArray(value)) return assignGenericList(current, value, path);
  if (isConfig(value)) return copyValue(value);
  if (!isMapping(value))
    throw new ConfigError(`${path}: expected text, a number, true or false, null, a list or a mapping, got ${describeValue(value)}.`, {
      path,
    });
  if (isConfig(current)) {
    mergeInto(current, value, path, strict);
    return current;
  }
  return createConfig(genericInfo, value, path);
}

function assignGenericList(current: unknown, value: unknown[], path: string): unknown[] {
  const compound = value.filter((element) => typeof element === 'object' && element !== null);
  if (value.some(Array.isArray))
    throw new ConfigError(`${path}: lists inside lists are not supported, got ${describeValue(value)}.`, { path });
  if (compound.length > 0 && compound.length < value.length) {
    throw new ConfigError(`${path}: a list holds either scalars or mappings, not both, got ${describeValue(value)}.`, { path });
  }
  const merge = Array.isArray(current) && current.length === value.length && compound.length > 0;
  return value.map((element, i) => assignGeneric(merge ? current[i] : undefined, element, `${path}[${i}]`, true));
}
