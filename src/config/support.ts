/** Which options of a config are honoured, have no effect here, or are refused at the start of a run. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../errors.js';
import { getOwn, infoOf, isConfig, toPlain, visibleKeys } from './instance.js';
import { describeValue, joinPath } from './suggest.js';
import type { FieldSpec, SupportRule } from './types.js';

/** One line for each option that is set but has no effect here, such as `runtime.enable_xla=true has no effect: ...`. */
export function configNotices(config: object): string[] {
  const notices: string[] = [];
  visitRules(config, '', (rule, path, value) => {
    if (rule.level === 'no_effect') notices.push(`${path}=${shown(value)} has no effect: ${rule.reason}.`);
  });
  return notices;
}

/** Throws a `ConfigError` when an option is set that cannot be honoured. Called at the start of a run, not when a file is read. */
export function checkSupported(config: object): void {
  visitRules(config, '', (rule, path, value) => {
    if (rule.level === 'refused') throw new ConfigError(`${path}=${shown(value)} is not supported: ${rule.reason}.`, { path });
  });
}

function shown(value: unknown): string {
  return isConfig(value) ? '{...}' : typeof value === 'string' ? value : describeValue(value);
}

function visitRules(config: object, path: string, visit: (rule: SupportRule, path: string, value: unknown) => void): void {
  const info = infoOf(config)!;
  for (const key of visibleKeys(config, path)) {
    const value = getOwn(config, key);
    const at = joinPath(path, key);
    const spec = info.fields.get(key);
    if (spec !== undefined) {
      // The branch that a choice selects counts as set, whatever its values.
      const selected = info.isOneOf && key !== 'type';
      for (const rule of spec.support)
        if (applies(rule, spec, value, selected)) visit(rule, selected ? joinPath(path, 'type') : at, selected ? key : value);
    }
    if (isConfig(value)) visitRules(value, at, visit);
    else if (Array.isArray(value)) value.forEach((element, i) => isConfig(element) && visitRules(element, `${at}[${i}]`, visit));
  }
}

function applies(rule: SupportRule, spec: FieldSpec, value: unknown, selected: boolean): boolean {
  if (value === null) return false;
  if (!selected && isDeepStrictEqual(plain(value), plain(spec.default))) return false;
  return rule.when === undefined || rule.when(value);
}

function plain(value: unknown): unknown {
  return isConfig(value) ? toPlain(value) : value;
}
