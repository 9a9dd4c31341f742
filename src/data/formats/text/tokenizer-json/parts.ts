import { describe, isRecord } from '../../../structure.js';

/** A component of a `tokenizer.json`: its type and options. What is wrong with one is thrown as an Error without the file's name. */
export type Part = Readonly<Record<string, unknown>>;

/** The type of a component. */
export const typeOf = (part: Part): string => String(part['type'] ?? '');

/** A field that is a text. */
export function textOf(part: Part, name: string, otherwise?: string): string {
  const value = part[name] ?? otherwise;
  if (typeof value === 'string') return value;
  throw wrong(part, name, 'a text');
}

/** A field that is a text or not there. */
export function textOrNone(part: Part, name: string): string | undefined {
  const value = part[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(part, name, 'a text');
}

/** A field that is true or false; null and absent are `otherwise`. */
export function flagOf(part: Part, name: string, otherwise: boolean): boolean {
  const value = part[name] ?? otherwise;
  if (typeof value === 'boolean') return value;
  throw wrong(part, name, 'true or false');
}

/** A field that is a whole number of at least 0. */
export function wholeOf(part: Part, name: string, otherwise?: number): number {
  const value = part[name] ?? otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw wrong(part, name, 'a whole number of at least 0');
}

/** What a Metaspace writes for spaces, and where it puts one before a text: always, never or first. */
export function metaspaceOf(part: Part): { readonly replacement: string; readonly scheme: string } {
  const scheme = textOf(part, 'prepend_scheme', flagOf(part, 'add_prefix_space', true) ? 'always' : 'never');
  return { replacement: textOf(part, 'replacement', '▁'), scheme: scheme.toLowerCase() };
}

/** A field that is a list. */
export function listOf(part: Part, name: string): readonly unknown[] {
  const value = part[name];
  if (Array.isArray(value)) return value as unknown[];
  throw wrong(part, name, 'a list');
}

/** A field that is a list of components. */
export function partsOf(part: Part, name: string): readonly Part[] {
  return listOf(part, name).map((one) => {
    if (isRecord(one)) return one;
    throw wrong(part, name, 'a list of objects');
  });
}

/** Says that a field is not what it has to be. */
export function wrong(part: Part, name: string, expected: string): Error {
  const value = part[name];
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : describe(value);
  return new Error(`its ${typeOf(part) === '' ? '' : `${typeOf(part)} `}"${name}" is ${shown}, ${expected} was expected`);
}

/** Says that a component is of a type that is not known. */
export function unknownType(kind: string, part: Part): Error {
  return new Error(`its ${kind} ${JSON.stringify(typeOf(part))} is not supported`);
}
