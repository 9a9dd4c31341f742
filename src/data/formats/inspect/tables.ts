import { guessDelimiter, csvFormat, fromCsv, readCsvSchema } from '../csv/index.js';
import { openArrow } from '../arrow/open.js';
import { fromJsonLines } from '../json-lines/index.js';
import { openParquet } from '../parquet/index.js';
import type { Columns, ColumnSpec, ColumnType, FileColumn } from '../table/index.js';
import { isRecord } from '../../structure.js';
import { countAll, firstOf, type Found } from './summary.js';

/** Records from which the fields of JSON lines are told. */
const TOLD_FROM = 100;

/** CSV and TSV: types as they are inferred, gaps that they have, cells between whatever the first line has between them. */
export async function inspectCsv(files: readonly string[], rows: number): Promise<Found> {
  const [first] = files as readonly [string];
  const guessed = csvFormat(first, {});
  const { delimiter, comment } = await guessDelimiter(first, guessed);
  const options = { delimiter, comment, onBadRecord: { skip: Infinity } } as const;
  const { names, inferred, gaps } = await readCsvSchema(first, csvFormat(first, options), undefined);
  const texts = Object.fromEntries(names.map((name) => [name, 'string'] as const));
  let records = 0;
  for await (const batch of fromCsv(files, { ...options, columns: texts, batchSize: 4096 })) records += Object.values(batch)[0]!.length;
  const more = [
    ...(delimiter === guessed.delimiter ? [] : [`delimiter: ${JSON.stringify(delimiter)}`]),
    ...(comment === undefined ? [] : [`comment: '${comment}'`]),
  ];
  const gap = (name: string): string => (gaps[name] === undefined ? '' : `, missing in ${gaps[name]} of the first records`);
  return {
    schema: names.map((name) => ({ name, type: `${inferred![name]!}${gap(name)}` })),
    records,
    first: await firstOf(fromCsv(files, { ...options, columns: lenient(inferred!) }), rows),
    ...(more.length > 0 ? { options: more.join(', ') } : {}),
  };
}

/** Columns in which missing values are NaN or empty texts, whole numbers of any size. */
function lenient(types: Readonly<Record<string, ColumnType>>): Columns {
  const specOf = (type: ColumnType): ColumnSpec =>
    type === 'string' || type === 'bool'
      ? { dtype: type, default: type === 'bool' ? false : '' }
      : { dtype: 'float64', default: NaN, allowNaN: true };
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, specOf(type)]));
}

/** JSON lines: the fields of the first records. */
export async function inspectJsonLines(files: readonly string[], rows: number): Promise<Found> {
  const { records, first } = await countAll(fromJsonLines(files, { bigInts: true }), Math.max(rows, TOLD_FROM));
  const fields = new Map<string, { types: Set<string>; times: number }>();
  for (const [name, value] of first.flatMap((record) => (isRecord(record) ? Object.entries(record) : []))) {
    const field = fields.get(name) ?? { types: new Set(), times: 0 };
    field.types.add(jsonType(value));
    field.times++;
    fields.set(name, field);
  }
  const schema = [...fields].map(([name, { types, times }]) => ({
    name,
    type: `${[...types].join(' or ')}${times < first.length ? ', not in every record' : ''}`,
  }));
  return { schema, records, first: first.slice(0, rows) };
}

function jsonType(value: unknown): string {
  return Array.isArray(value)
    ? `list of ${value.length}`
    : value === null
      ? 'null'
      : typeof value === 'bigint'
        ? 'whole number beyond 2^53'
        : typeof value;
}

/** A file of columns in groups, as far as its first records need it. */
interface Grouped {
  readonly columns: readonly FileColumn[];
  readonly groups: readonly number[];
  read(names: readonly string[], group: number): Promise<Readonly<Record<string, ArrayLike<unknown>>>>;
}

/** Parquet files: columns as they are stored. */
export function inspectParquet(files: readonly string[], rows: number): Promise<Found> {
  return inspectColumns(
    files.map((path) => {
      const file = openParquet(path);
      const read = async (names: readonly string[], group: number) =>
        Object.fromEntries(await Promise.all(names.map(async (name) => [name, await file.read(name, group)] as const)));
      return { columns: file.columns, groups: file.groups, read };
    }),
    rows,
  );
}

/** Arrow files and streams: columns as they are stored. */
export function inspectArrow(files: readonly string[], rows: number): Promise<Found> {
  return inspectColumns(
    files.map((path) => {
      const file = openArrow(path);
      const select = (names: readonly string[]) => file.select(Object.fromEntries(names.map((name) => [name, 'float64'] as const)));
      return {
        columns: file.columns,
        groups: select([]).groups.map((group) => group.rows),
        read: (names, group) => select(names).read(group),
      };
    }),
    rows,
  );
}

/** The values are shown as the file has them: what a column would not take must not be missing here. */
async function inspectColumns(files: readonly Grouped[], rows: number): Promise<Found> {
  const { columns } = files[0]!;
  const names = columns.filter(({ type, stored }) => type !== undefined || isTime(stored)).map(({ name }) => name);
  const first: Record<string, unknown>[] = [];
  for (const file of files) {
    for (let group = 0; group < file.groups.length && first.length < rows; group++) {
      const values = await file.read(names, group);
      const count = Math.min(rows - first.length, file.groups[group]!);
      for (let row = 0; row < count; row++) first.push(Object.fromEntries(names.map((name) => [name, small(values[name]![row])])));
    }
  }
  return {
    schema: columns.map(({ name, type, stored }) => ({
      name,
      type: `${stored}, ${type !== undefined ? `read as ${type}` : isTime(stored) ? 'float64 makes it milliseconds since 1970' : 'which cannot be read'}`,
    })),
    records: files.reduce((sum, { groups }) => sum + groups.reduce((n, group) => n + group, 0), 0),
    first,
  };
}

const isTime = (stored: string): boolean => /timestamp|date/i.test(stored);

/** Whole numbers of 64 bits as numbers where those hold them. */
function small(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(small);
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
