/** Config objects themselves: how they are made, recognised, copied and turned into plain data. */
import { ConfigError } from '../errors.js';
import { didYouMean, joinPath, nearestName } from './suggest.js';
import { INFO, type AnyConfigSchema, type ConfigData, type ConfigRecord, type FieldSpec, type SchemaInfo } from './types.js';

/** What a config carries besides its fields. */
interface Extras {
  /** Keys that a non-strict override added to a config with declared fields. */
  added?: Set<string>;
  /** Restrictions given for this one config, checked after those of its schema. */
  restrictions?: readonly string[];
  /** Path at which the config was locked; undefined while it can be changed. */
  lockedAt?: string;
}

const extras = new WeakMap<object, Extras>();

/** The record of what a config carries besides its fields; made when first asked for. */
export function extrasOf(config: object): Extras {
  let found = extras.get(config);
  if (found === undefined) extras.set(config, (found = {}));
  return found;
}

/** The schema of a config, or null when the value is no config. */
export function infoOf(value: unknown): SchemaInfo | null {
  return typeof value === 'object' && value !== null ? ((value as { [INFO]?: SchemaInfo })[INFO] ?? null) : null;
}

/** True for objects made by a config schema. */
export function isConfig(value: unknown): value is object {
  return infoOf(value) !== null;
}

/**
 * The schema that made a config. Throws a `ConfigError` for any other object, because two schemas with equal fields make
 * plain objects that cannot be told apart.
 */
export function schemaOf<T extends object>(config: T): AnyConfigSchema<T> {
  const info = infoOf(config);
  if (info === null) {
    throw new ConfigError(
      'Expected a config made by its schema, got a plain object. Make it with its schema, such as trainerConfig({ ... }).',
    );
  }
  return info.factory as AnyConfigSchema<T>;
}

/** True if `info` is `base` or extends it. */
export function extendsSchema(info: SchemaInfo, base: SchemaInfo): boolean {
  for (let at: SchemaInfo | null = info; at !== null; at = at.base) if (at === base) return true;
  return false;
}

/** True for `{...}` objects, the only objects read as mappings. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Defines a field as an ordinary own property, past the guard on the prototype. */
export function setOwn(config: object, key: string, value: unknown): void {
  Object.defineProperty(config, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads a field without types. */
export function getOwn(config: object, key: string): unknown {
  return (config as Record<string, unknown>)[key];
}

/** A config with its schema's defaults; every call gives fresh objects. */
export function instantiate(info: SchemaInfo): object {
  const config: object = Object.create(info.prototype) as object;
  for (const [key, spec] of info.fields) setOwn(config, key, copyValue(spec.default));
  return config;
}

/** A deep copy of a field's value; configs keep their schema, the copy is never locked. */
export function copyValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyValue);
  return isConfig(value) ? cloneConfig(value) : value;
}

/** A deep copy of a config, schema kept. The copy of a locked config can be changed. */
export function cloneConfig<T extends object>(config: T): T {
  schemaOf(config);
  const info = infoOf(config)!;
  const copy = Object.create(info.prototype) as T;
  for (const key of Object.keys(config)) setOwn(copy, key, copyValue(getOwn(config, key)));
  const { added, restrictions } = extras.get(config) ?? {};
  if (added !== undefined || restrictions !== undefined) {
    extras.set(copy, { ...(added && { added: new Set(added) }), ...(restrictions && { restrictions }) });
  }
  return copy;
}

/**
 * The config as plain nested data, keys in declaration order. Of a choice of branches only the selected one is there; a
 * `type` that names no branch is a `ConfigError`.
 */
export function toPlain(config: object): ConfigRecord {
  return plainConfig(config, '');
}

function plainConfig(config: object, path: string): ConfigRecord {
  const result: ConfigRecord = {};
  for (const key of visibleKeys(config, path)) setOwn(result, key, plainValue(getOwn(config, key), joinPath(path, key)));
  return result;
}

function plainValue(value: unknown, path: string): ConfigData {
  if (Array.isArray(value)) return value.map((element, i) => plainValue(element, `${path}[${i}]`));
  if (typeof value === 'object' && value !== null) return plainConfig(value, path);
  return value as ConfigData;
}

/** The keys that an exported config shows: all, or for a choice of branches `type` and the selected branch. */
export function visibleKeys(config: object, path = ''): string[] {
  const info = infoOf(config);
  if (info?.isOneOf !== true) return Object.keys(config);
  const type = getOwn(config, 'type');
  if (type === null) return ['type'];
  if (typeof type !== 'string' || type === 'type' || !Object.hasOwn(config, type)) {
    throw unknownBranch(info, type, joinPath(path, 'type'));
  }
  return ['type', type];
}

function unknownBranch(info: SchemaInfo, type: unknown, path: string): ConfigError {
  const branches = [...info.fields.keys()].filter((key) => key !== 'type');
  const near = typeof type === 'string' ? nearestName(type, branches) : null;
  return new ConfigError(
    `${path}: ${JSON.stringify(type)} is no branch of ${info.name}.${didYouMean(near)} Known: ${branches.join(', ')}.`,
    { path },
  );
}

/** The value of the selected branch of a choice, or null when none is selected. */
export function selectedBranch<T extends { type: string | null }>(config: T): T[Exclude<keyof T, 'type'>] | null {
  const [, branch] = visibleKeys(config);
  return branch === undefined ? null : (getOwn(config, branch) as T[Exclude<keyof T, 'type'>]);
}

/** The error for a key that a config does not have. */
export function unknownField(info: SchemaInfo, key: string, path: string, known: Iterable<string> = info.fields.keys()): ConfigError {
  const full = joinPath(path, key);
  const names = [...known];
  const near = nearestName(key, names);
  if (near !== null) return new ConfigError(`${full}: no such field in ${info.name}.${didYouMean(near)}`, { path: full });
  const deeper = pathsTo(info, key, 3);
  if (deeper.length > 0) {
    const paths = deeper.slice(0, 3).map((at) => `"${joinPath(path, at)}"`);
    return new ConfigError(`${full}: no such field in ${info.name}. Did you mean ${paths.join(' or ')}?`, { path: full });
  }
  const list =
    names.length === 0 ? 'It has no fields.' : `Its fields: ${names.slice(0, 30).join(', ')}${names.length > 30 ? ', ...' : ''}.`;
  return new ConfigError(`${full}: no such field in ${info.name}. ${list}`, { path: full });
}

/** Dotted paths below `info` at which a field of this name lies. */
function pathsTo(info: SchemaInfo, key: string, depth: number): string[] {
  const found: string[] = [];
  for (const [name, spec] of info.fields) {
    const nested = nestedSchema(spec);
    if (nested === null || nested === info || depth === 0) continue;
    if (nested.fields.has(key)) found.push(`${name}.${key}`);
    found.push(...pathsTo(nested, key, depth - 1).map((path) => `${name}.${path}`));
  }
  return found.sort((a, b) => a.split('.').length - b.split('.').length);
}

function nestedSchema(spec: FieldSpec): SchemaInfo | null {
  return spec.shape.kind === 'config' ? spec.shape.schema : null;
}

/**
 * The prototype of a schema's configs: it knows the schema, and a write to a field that does not exist lands here and is
 * refused, so that a misspelt assignment in plain JavaScript is not silently kept.
 */
export function makePrototype(info: () => SchemaInfo): object {
  const target = Object.create(Object.prototype, {
    [INFO]: { get: info },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: inspectConfig },
  }) as object;
  return new Proxy(target, {
    set(_target, key, value, receiver: object) {
      if (typeof key === 'symbol') return Reflect.defineProperty(receiver, key, { value, writable: true, configurable: true });
      const lockedAt = extras.get(receiver)?.lockedAt;
      if (lockedAt !== undefined) throw lockedError(joinPath(lockedAt, key));
      if (!info().isGeneric && !info().fields.has(key)) throw unknownField(info(), key, '');
      setOwn(receiver, key, value);
      return true;
    },
  });
}

/** The error for a write to a locked config. */
export function lockedError(path: string): ConfigError {
  const what = path === '' ? 'The config' : `${path}: the config`;
  return new ConfigError(`${what} is locked and cannot be changed. Change a copy: cloneConfig(config).`, { path });
}

/** How `console.log` shows a config: name and fields, also when locked. */
function inspectConfig(this: object, _depth: number, options: object, inspect?: (value: unknown, options: object) => string): string {
  const info = infoOf(this);
  const fields: Record<string, unknown> = {};
  const type: unknown = info?.isOneOf === true ? getOwn(this, 'type') : null;
  const keys =
    info?.isOneOf === true ? ['type', ...(typeof type === 'string' && Object.hasOwn(this, type) ? [type] : [])] : Object.keys(this);
  for (const key of keys) setOwn(fields, key, getOwn(this, key));
  return `${info?.name ?? 'Config'} ${inspect === undefined ? JSON.stringify(fields) : inspect(fields, options)}`;
}
