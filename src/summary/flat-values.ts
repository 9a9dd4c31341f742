/** Results of a run as one flat record. */
import type { Output } from '../orbit/index.js';

/** Nested names joined with `/`; arrays stay as they are. */
export function flatValues(values: Output, prefix = ''): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const name = `${prefix}${key}`;
    if (isRecord(value)) Object.assign(flat, flatValues(value, `${name}/`));
    else flat[name] = ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<number>)] : value;
  }
  return flat;
}

function isRecord(value: unknown): value is Output {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
