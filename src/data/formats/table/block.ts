import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { allocate, NDArray, shapeSize } from '../../ndarray.js';
import type { Block } from '../../sources/blocks.js';
import { badValue, ColumnBuilder } from './builder.js';
import { rulesOf, type Columns } from './columns.js';

type Values = NDArray | string[];

/** Records with named columns, stored column by column. */
export class TableBlock implements Block<Record<string, NDArray | string>, Record<string, Values>> {
  readonly #columns: readonly (readonly [string, Values])[];

  constructor(
    columns: Readonly<Record<string, Values>>,
    readonly length: number,
  ) {
    this.#columns = Object.entries(columns);
  }

  row(index: number): Record<string, NDArray | string> {
    const row: Record<string, NDArray | string> = {};
    for (const [name, values] of this.#columns) row[name] = values instanceof NDArray ? values.row(index) : values[index]!;
    return row;
  }

  gather(blocks: readonly TableBlock[], block: Uint32Array, row: Uint32Array): Record<string, Values> {
    const batch: Record<string, Values> = {};
    this.#columns.forEach(([name, own], column) => {
      const parts = blocks.map((one) => one.#columns[column]![1]);
      batch[name] =
        own instanceof NDArray ? gatherArrays(name, parts as NDArray[], block, row) : gatherTexts(parts as string[][], block, row);
    });
    return batch;
  }

  slice(begin: number, end: number): Record<string, Values> {
    const batch: Record<string, Values> = {};
    for (const [name, values] of this.#columns) batch[name] = values.slice(begin, end);
    return batch;
  }
}

function gatherArrays(name: string, parts: readonly NDArray[], block: Uint32Array, row: Uint32Array): NDArray {
  const { shape, dtype } = parts[0]!;
  const inner = shape.slice(1);
  const size = shapeSize(inner);
  for (const part of parts) {
    if (part.shape.slice(1).join() !== inner.join())
      throw new DataError(
        `Column ${name} has lists of shape [${part.shape.slice(1).join(', ')}] and of [${inner.join(', ')}]; one shape was expected.`,
      );
  }
  const data = allocate(dtype, row.length * size);
  const sources = parts.map((part) => part.data);
  if (size === 1) for (let i = 0; i < row.length; i++) data[i] = sources[block[i]!]![row[i]!]!;
  else for (let i = 0; i < row.length; i++) data.set(sources[block[i]!]!.subarray(row[i]! * size, (row[i]! + 1) * size), i * size);
  return new NDArray(data as Float32Array, [row.length, ...inner], dtype as 'float32');
}

function gatherTexts(parts: readonly string[][], block: Uint32Array, row: Uint32Array): string[] {
  return Array.from(row, (index, i) => parts[block[i]!]![index]!);
}

/**
 * A block from lists of values, one per column, checked against the columns' rules; `place` names a record in errors. Bad
 * records are left out or end in an error, as `bad` says.
 */
export function tableFrom(
  columns: Columns,
  values: Readonly<Record<string, ArrayLike<unknown>>>,
  rows: number,
  place: (row: number) => string,
  bad: BadRecords,
): TableBlock {
  const builders = Object.entries(columns).map(([name, spec]) => ({
    builder: new ColumnBuilder(name, rulesOf(spec), rows),
    from: values[name],
  }));
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    let error: DataError | undefined;
    for (const { builder, from } of builders) {
      const wrong = builder.put(kept, from?.[row]);
      if (wrong === undefined) continue;
      error = badValue(place(row), builder.name, wrong);
      break;
    }
    if (error === undefined) kept++;
    else bad.report(error);
  }
  return new TableBlock(Object.fromEntries(builders.map(({ builder }) => [builder.name, builder.finish(kept)])), kept);
}

/** Checks that a file has the columns that are asked for. Throws a {@link DataError} that lists those it has. */
export function checkColumns(path: string, wanted: Columns, there: readonly string[]): void {
  const names = new Set(there);
  const missing = Object.keys(wanted).filter((name) => !names.has(name));
  if (missing.length > 0) throw new DataError(`${path} has no column ${some(missing)}; its columns are ${some(there)}.`);
}

/** Names in a row, no more than fit into a message. */
function some(names: readonly string[]): string {
  return names.length > 30 ? `${names.slice(0, 30).join(', ')}, … (${names.length})` : names.join(', ');
}
