/** Overriding a config from mappings, text and files; reading one from YAML. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../errors.js';
import { mergeInto } from './apply.js';
import { cloneConfig, getOwn, isConfig, isMapping, lockedError, schemaOf, toPlain } from './instance.js';
import { parseOverrideText } from './override-text.js';
import { describeValue, quote } from './suggest.js';
import { checkTypes, isLocked } from './validate.js';
import { parseYaml } from './yaml-read.js';
import type { ConfigSchema } from './types.js';

/** What can override a config: a mapping or config, or text (key=value, YAML, JSON, or the path of a YAML file). */
export type OverrideSource = object | string | null | undefined;

/** Options of {@link overrideParams}. */
export interface OverrideOptions {
  /** Whether keys that the config does not have are errors; else they are added. Default true. */
  readonly strict?: boolean;
}

/**
 * Changes a config by what `source` says and returns it. Text is tried as key=value text, then as YAML or JSON; if that
 * gives no mapping it is the path of a YAML or JSON file. Nothing and empty text change nothing. On an error, a
 * `ConfigError` with the dotted path, the config is as it was before.
 *
 * @example
 * overrideParams(params, 'trainer.train_steps=100, runtime.seed=3');
 */
export function overrideParams<T extends object>(config: T, source: OverrideSource, { strict = true }: OverrideOptions = {}): T {
  schemaOf(config);
  if (source === null || source === undefined || source === '') return config;
  const values = readSource(source);
  if (isLocked(config)) throw lockedError('');
  refuseLocked(config, values, '');
  checkTypes(config, '');
  mergeInto(cloneConfig(config), values, '', strict); // Fails here, before anything is changed.
  mergeInto(config, values, '', strict);
  return config;
}

/** A part of a config can be locked on its own. */
function refuseLocked(config: object, values: Record<string, unknown>, path: string): void {
  for (const [key, value] of Object.entries(values)) {
    const current = Object.hasOwn(config, key) ? getOwn(config, key) : undefined;
    if (!isConfig(current) || !isMapping(value)) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (isLocked(current)) throw lockedError(at);
    refuseLocked(current, value, at);
  }
}

function readSource(source: object | string): Record<string, unknown> {
  if (typeof source === 'string') return readText(source);
  if (isConfig(source)) return toPlain(source);
  if (isMapping(source)) return source;
  throw new ConfigError(`An override is a mapping or a text, not ${describeValue(source)}.`);
}

function readText(text: string): Record<string, unknown> {
  let notKeyValue: ConfigError;
  try {
    return parseOverrideText(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    notKeyValue = error;
  }
  const data = existsSync(text) ? null : parseYaml(text, `The override ${quote(text)}`);
  if (isMapping(data)) return data;
  if (!looksLikePath(text)) throw notKeyValue;
  if (!existsSync(text)) {
    throw new ConfigError(
      `${quote(text)} is neither key=value text (a.b=1,c=2), nor a YAML mapping ({a: {b: 1}}), nor a file: there is no ${quote(resolve(text))}.`,
    );
  }
  return readConfigFile(text);
}

/** Text with an equals sign that is no existing file was meant as key=value text. */
function looksLikePath(text: string): boolean {
  return existsSync(text) || !text.includes('=');
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return `there is no such file (working directory ${process.cwd()})`;
  if (code === 'EACCES') return 'permission denied';
  return code === 'ENOTDIR' ? 'a part of the path is a file, not a directory' : message;
}

/** The mapping in a YAML or JSON file; a `ConfigError` says what is wrong with a file that cannot be read. */
export function readConfigFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    if (statSync(path).isDirectory()) throw new ConfigError(`${quote(path)} is a directory; expected a YAML or JSON file.`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot read ${quote(path)}: ${reasonOf(error as NodeJS.ErrnoException)}.`, { cause: error });
  }
  if (text.includes('\0') || text.includes('\ufffd')) throw new ConfigError(`${path} is no text in UTF-8; expected a YAML or JSON file.`);
  const data = parseYaml(text.replace(/^\ufeff/, ''), path);
  if (isMapping(data)) return data;
  throw new ConfigError(`${path}: expected a mapping of fields, ${data === null ? 'the file is empty' : `got ${describeValue(data)}`}.`);
}

/**
 * A config read from YAML or JSON text: the defaults of a schema, or the values of a config (copied), overridden strictly.
 *
 * @example
 * const trainer = fromYaml(trainerConfig, 'train_steps: 100');
 */
export function fromYaml<T extends object, I>(base: ConfigSchema<T, I> | T, text: string): T {
  const config = typeof base === 'function' ? (base as ConfigSchema<T, I>)() : cloneConfig(base);
  const data = parseYaml(text, 'The YAML text');
  if (isMapping(data)) return overrideParams(config, data);
  throw new ConfigError(`Expected a YAML mapping of fields, ${data === null ? 'the text is empty' : `got ${describeValue(data)}`}.`);
}
