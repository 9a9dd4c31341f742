import { UsageError } from '../../../errors.js';
import type { NDArray } from '../../ndarray.js';
import { describe, isRecord } from '../../structure.js';
import { checkRules, type ValueRules } from '../../value-rules.js';

/** What a column of a table becomes. `string` columns are texts, all others arrays. */
export type ColumnType = 'float32' | 'float64' | 'int32' | 'bool' | 'string';

/** A column with its rules. A value that breaks one is a bad record. */
export interface ColumnRules extends ValueRules {
  /** What the values become. */
  readonly dtype: ColumnType;
  /** Value of a record whose cell is empty or null; left out: such a record is bad (an empty text is a text, though). */
  readonly default?: number | string | boolean;
}

/** A column: its type, or its type with rules. */
export type ColumnSpec = ColumnType | ColumnRules;

/** The columns to read, by name; others in the file are left out. */
export type Columns = Readonly<Record<string, ColumnSpec>>;

type TypeOf<S> = S extends ColumnRules ? S['dtype'] : S;
type Cell<S> =
  TypeOf<S> extends infer D ? (D extends 'string' ? string : D extends Exclude<ColumnType, 'string'> ? NDArray<D> : never) : never;
type Cells<S> =
  TypeOf<S> extends infer D ? (D extends 'string' ? string[] : D extends Exclude<ColumnType, 'string'> ? NDArray<D> : never) : never;

/** A record of a table: a text or an array without axes (with the axes of a list cell) per column. */
export type TableRow<C> = { -readonly [K in keyof C]: Cell<C[K]> };

/** A batch of a table: a list of texts or an array with one row per record, per column. */
export type TableBatch<C> = { -readonly [K in keyof C]: Cells<C[K]> };

/** Columns whose types are not known before the file is read. */
export type AnyColumns = Record<string, ColumnType>;

/** The rules of a column, written out. */
export function rulesOf(spec: ColumnSpec): ColumnRules {
  return typeof spec === 'string' ? { dtype: spec } : spec;
}

/** Checks that columns are of known types and have rules that can be kept. Throws a {@link UsageError} that names the column. */
export function checkSpecs(columns: Columns): void {
  if (!isRecord(columns))
    throw new UsageError(
      `columns is ${describe(columns)}; types by the names of the columns were expected: { x: 'float32', name: 'string' }.`,
    );
  for (const [name, spec] of Object.entries(columns)) {
    const rules = rulesOf(spec);
    if (!isRecord(rules)) throw new UsageError(`Column ${name} is ${describe(spec)}; a type was expected: ${columnTypes.join(', ')}.`);
    if (!columnTypes.includes(rules.dtype))
      throw new UsageError(`Column ${name} has the type ${JSON.stringify(rules.dtype)}; expected ${columnTypes.join(', ')}.`);
    checkRules(name, rules, ['dtype', 'default']);
  }
}

const columnTypes: readonly unknown[] = ['float32', 'float64', 'int32', 'bool', 'string'] satisfies ColumnType[];
