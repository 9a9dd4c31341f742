/** Checking a whole config, and locking it. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../errors.js';
import { assignField, assignGeneric } from './apply.js';
import { extrasOf, getOwn, infoOf, isConfig, lockedError, schemaOf, setOwn, toPlain, unknownField } from './instance.js';
import { checkRestriction } from './restrictions.js';
import { joinPath } from './suggest.js';

/** True when the config has been locked. */
export function isLocked(config: object): boolean {
  return extrasOf(config).lockedAt !== undefined;
}

/**
 * Checks the type of every value, turns plain objects that were assigned to config fields into configs of the declared
 * schema, and checks all restrictions. Returns the config. Throws a `ConfigError` with the dotted path of the first fault.
 */
export function validateConfig<T extends object>(config: T): T {
  schemaOf(config);
  checkTypes(config, '');
  checkRestrictions(config, '');
  return config;
}

/** Checks the types only, adopting plain objects; see {@link validateConfig}. */
export function checkTypes(config: object, path: string): void {
  const info = infoOf(config)!;
  for (const key of info.fields.keys()) {
    const at = joinPath(path, key);
    if (!Object.hasOwn(config, key))
      throw new ConfigError(`${at}: the field is missing; it was deleted from its ${info.name}.`, { path: at });
  }
  if (isLocked(config)) return; // Checked when it was locked, unchanged since.
  const added = extrasOf(config).added;
  for (const key of Object.keys(config)) {
    const at = joinPath(path, key);
    const value = getOwn(config, key);
    const spec = info.fields.get(key);
    if (spec === undefined && !info.isGeneric && added?.has(key) !== true) throw unknownField(info, key, path);
    const checked = spec === undefined ? assignGeneric(undefined, value, at, true) : assignField(spec, undefined, value, at);
    // Configs are checked in place, so that references to them stay good; what was assigned as a plain object is replaced.
    if (isConfig(value)) checkTypes(value, at);
    else if (Array.isArray(value) && value.every(isConfig)) value.forEach((element, i) => checkTypes(element, `${at}[${i}]`));
    else if (!isDeepStrictEqual(checked, value)) setOwn(config, key, checked);
  }
}

function checkRestrictions(config: object, path: string): void {
  for (const key of Object.keys(config)) {
    const value = getOwn(config, key);
    if (isConfig(value)) checkRestrictions(value, joinPath(path, key));
    else if (Array.isArray(value))
      value.forEach((element, i) => isConfig(element) && checkRestrictions(element, `${joinPath(path, key)}[${i}]`));
  }
  const restrictions = [...infoOf(config)!.restrictions, ...(extrasOf(config).restrictions ?? [])];
  if (restrictions.length === 0) return;
  const data = toPlain(config);
  for (const restriction of restrictions) checkRestriction(restriction, data, path);
}

/**
 * Checks the types and makes the config and everything in it unchangeable: a later write is a `ConfigError` that names the
 * field. Returns the config. To change a copy, `cloneConfig(config)`.
 */
export function lockConfig<T extends object>(config: T): T {
  schemaOf(config);
  checkTypes(config, '');
  lockTree(config, '');
  return config;
}

function lockTree(config: object, path: string): void {
  if (isLocked(config)) return;
  for (const key of Object.keys(config)) {
    const at = joinPath(path, key);
    const value = lockValue(getOwn(config, key), at);
    lockKey(config, key, value, at);
  }
  extrasOf(config).lockedAt = path;
  Object.preventExtensions(config);
}

function lockValue(value: unknown, path: string): unknown {
  if (isConfig(value)) lockTree(value, path);
  return Array.isArray(value) ? lockList(value, path) : value;
}

/** A field that reads as before and refuses writes with our own error rather than the engine's. */
function lockKey(target: object, key: string, value: unknown, path: string): void {
  const refuse = (): never => {
    throw lockedError(path);
  };
  Object.defineProperty(target, key, { get: () => value, set: refuse, enumerable: true, configurable: false });
}

const MUTATORS = ['copyWithin', 'fill', 'pop', 'push', 'reverse', 'shift', 'sort', 'splice', 'unshift'] as const;

function lockList(list: readonly unknown[], path: string): readonly unknown[] {
  const locked: unknown[] = [];
  list.forEach((element, i) => lockKey(locked, String(i), lockValue(element, `${path}[${i}]`), `${path}[${i}]`));
  const refuse = (): never => {
    throw lockedError(path);
  };
  for (const name of MUTATORS) Object.defineProperty(locked, name, { value: refuse });
  Object.defineProperty(locked, 'length', { writable: false });
  return Object.preventExtensions(locked);
}
