/** Checks of single values: what a scalar field accepts, and how an error says what was expected. */
import { ConfigError } from '../errors.js';
import { describeValue, didYouMean, nearestName } from './suggest.js';
import type { FieldSpec, Shape, StandardSchema } from './types.js';

/** A number written as text, as YAML gives `'1e-3'` in quotes or `-.5`. */
const NUMBER_TEXT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/** Shapes of single values, as opposed to lists, configs, records and unions of them. */
export type ScalarShape = Exclude<Shape, { kind: 'list' | 'config' | 'record' | 'union' }>;

/** The value as the field keeps it, or a `ConfigError` that names path, value and expectation. `null` is checked by the caller. */
export function coerceScalar(shape: ScalarShape, value: unknown, path: string, nullable = false): unknown {
  switch (shape.kind) {
    case 'int':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return bounded(shape, value, path);
      throw mismatch(shape, value, path, intHint(value), nullable);
    case 'float':
    case 'number': {
      const number = typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : value;
      if (typeof number === 'number' && !Number.isNaN(number)) return shape.kind === 'float' ? bounded(shape, number, path) : number;
      throw mismatch(shape, value, path, value === 'None' ? ' Write null for "no value".' : '', nullable);
    }
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw mismatch(shape, value, path, '', nullable);
    case 'string':
      if (typeof value === 'string') return value;
      throw mismatch(shape, value, path, stringHint(value), nullable);
    case 'choice':
      return coerceChoice(shape, value, path, nullable);
    case 'custom':
      return coerceCustom(shape.standard, value, path);
    default:
      return shape satisfies never;
  }
}

function bounded(shape: { min?: number; max?: number }, value: number, path: string): number {
  if (shape.min !== undefined && value < shape.min)
    throw new ConfigError(`${path}: expected at least ${shape.min}, got ${value}.`, { path });
  if (shape.max !== undefined && value > shape.max)
    throw new ConfigError(`${path}: expected at most ${shape.max}, got ${value}.`, { path });
  return value;
}

function intHint(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value)) return ' It is too large to be kept exactly.';
  if (typeof value !== 'string') return '';
  if (/^[-+]?\d+$/.test(value)) return ' Write the number without quotes.';
  return /^\S+\s+[A-Za-z][\w.]*=/.test(value) ? ' Separate entries with commas: a.b=1,c=2.' : '';
}

function stringHint(value: unknown): string {
  if (typeof value === 'boolean') return ' YAML reads yes, no, on and off as true and false: put the word in quotes.';
  return typeof value === 'number' ? ` Put it in quotes: '${value}'.` : '';
}

function coerceChoice(shape: { kind: 'choice'; choices: readonly string[] }, value: unknown, path: string, nullable: boolean): string {
  // YAML turns an unquoted `off` into false; where `off` is a choice nothing else can be meant.
  const word = value === false ? 'off' : value === true ? 'on' : value;
  if (typeof word === 'string') {
    const found =
      shape.choices.find((choice) => choice === word) ?? shape.choices.find((choice) => choice.toLowerCase() === word.toLowerCase());
    if (found !== undefined) return found;
  }
  throw mismatch(shape, value, path, typeof value === 'string' ? didYouMean(nearestName(value, shape.choices)) : '', nullable);
}

function coerceCustom(standard: StandardSchema<unknown>, value: unknown, path: string): unknown {
  const result = standard['~standard'].validate(value);
  if (result instanceof Promise) {
    throw new ConfigError(`${path}: the schema of this field checks asynchronously, which a config cannot wait for.`, { path });
  }
  const checked = result as { value?: unknown; issues?: readonly { message: string }[] };
  if (checked.issues === undefined) return checked.value;
  throw new ConfigError(`${path}: ${checked.issues.map((issue) => issue.message).join('; ')} (got ${describeValue(value)}).`, { path });
}

/** The error for a value of the wrong type. */
export function mismatch(shape: Shape, value: unknown, path: string, hint: string, nullable = false): ConfigError {
  return new ConfigError(`${path}: expected ${describeShape(shape)}${nullable ? ' or null' : ''}, got ${describeValue(value)}.${hint}`, {
    path,
  });
}

/** What a field accepts, in words: `a whole number or null`. */
export function describeSpec(spec: FieldSpec): string {
  return describeShape(spec.shape) + (spec.nullable ? ' or null' : '');
}

function describeShape(shape: Shape): string {
  switch (shape.kind) {
    case 'int':
      return 'a whole number';
    case 'float':
    case 'number':
      return 'a number';
    case 'bool':
      return 'true or false';
    case 'string':
      return 'text';
    case 'choice':
      return `${shape.choices.length > 1 ? 'one of ' : ''}${shape.choices.map((choice) => JSON.stringify(choice)).join(', ')}`;
    case 'list':
      return `a list (each element ${describeSpec(shape.element)})`;
    case 'config':
      return `a mapping (${shape.schema.name})`;
    case 'record':
      return 'a mapping';
    case 'union':
      return shape.options.map(describeSpec).join(', or ');
    case 'custom':
      return "a value that the field's own schema accepts";
    default:
      return shape satisfies never;
  }
}
