/** Words for error messages: what was given, and which known name was probably meant. */
export { didYouMean, nearestName } from '../nearest-name.js';

/** A value as an error message shows it: short, strings quoted. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` (${value.name})`}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    const shown = value.slice(0, 4).map((element) => (Array.isArray(element) ? '[...]' : describeValue(element)));
    return `the list [${shown.join(', ')}${value.length > 4 ? ', ...' : ''}]`;
  }
  const keys = Object.keys(value);
  return `a mapping {${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', ...' : ''}}`;
}

/** A string in double quotes, cut after 60 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** Joins a dotted path and a key. */
export function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
