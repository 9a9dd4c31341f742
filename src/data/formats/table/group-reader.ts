import type { BadRecords } from '../../bad-records.js';
import type { Dataset } from '../../dataset.js';
import { expandPaths, type Paths } from '../../files/index.js';
import { count } from '../../random-access.js';
import { blockDataset, type BlockReader } from '../../sources/blocks.js';
import { groupDataset } from '../../sources/groups.js';
import type { PositionValue } from '../../stage.js';
import type { TableBlock } from './block.js';
import { readColumns, recordsBefore, type ColumnFile } from './groups.js';
import type { TableOptions } from './stream.js';

type Row = ReturnType<TableBlock['row']>;
type Batch = ReturnType<TableBlock['slice']>;

/**
 * The records of files of columns in groups. They are indexed, unless bad records are to be left out: how many there are is then known
 * only at the end, and they are read in order.
 */
export function columnDataset(format: string, paths: Paths, options: TableOptions, open: (path: string) => ColumnFile): Dataset<unknown> {
  if (options.onBadRecord !== undefined && options.onBadRecord !== 'error')
    return blockDataset<Row, Batch>(format, paths, (path, bad) => new GroupReader(open(path), bad), options);
  const files = expandPaths(paths).map(open);
  const places = files.flatMap((file) => file.groups.map((_, group) => ({ file, group })));
  const name = files.length === 1 ? files[0]!.path : `${files.length} files from ${files[0]!.path}`;
  return groupDataset<Row, Batch>(
    {
      name: `${format} ${name}`,
      groups: files.flatMap(({ groups }) => groups),
      read: (at) => readColumns(places[at]!.file, places[at]!.group),
      locate: (at, row) => {
        const { file, group } = places[at]!;
        return `record ${recordsBefore(file, group) + row + 1} of ${file.path}`;
      },
    },
    options,
  );
}

/** Reads the groups of a file in order. */
class GroupReader implements BlockReader<Row, Batch> {
  readonly seekable = true;
  #group = 0;

  constructor(
    readonly file: ColumnFile,
    readonly bad: BadRecords,
  ) {}

  async next(): Promise<{ block: TableBlock; position: PositionValue } | undefined> {
    const position = this.#group;
    if (position >= this.file.groups.length) return undefined;
    const block = await readColumns(this.file, position, this.bad);
    this.#group++;
    return { block, position };
  }

  async seek(position: PositionValue): Promise<void> {
    this.#group = count(position, 'group of records');
  }

  async close(): Promise<void> {
    // Files are open only while they are read.
  }
}
