import { statSync } from 'node:fs';

import { DataError } from '../../errors.js';
import { BadRecords, type OnBadRecord } from '../bad-records.js';
import { Dataset } from '../dataset.js';
import { expandPaths, type Paths } from '../files/index.js';
import { exactRequired, replayRefused } from '../operators/exact.js';
import { count, list } from '../random-access.js';
import { chain, END, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';
import { concatenateBatches } from '../structure.js';
import { checkBatch, tooFew, type BatchOptions } from './batch-options.js';
import type { Block, BlockReader, OpenBlocks, StreamOptions } from './block.js';

export type { Block, BlockReader, OpenBlocks, StreamOptions } from './block.js';

/** Blocks kept while single records are read again: a shuffle buffer lies in few of them. */
const KEPT_BLOCKS = 32;

/**
 * The records of files, in order, or batches of them. The state is (file, block, record): a restore reads one block again.
 * Missing files end in a {@link DataError} at once, a pass without any record at its end.
 */
export function blockDataset<R, B>(
  format: string,
  paths: Paths,
  open: OpenBlocks<R, B>,
  options: StreamOptions & BatchOptions = {},
): Dataset<unknown> {
  const { batchSize, dropRemainder = false, onBadRecord } = options;
  checkBatch(options);
  new BadRecords(onBadRecord); // checks the policy before anything is read
  const files = expandPaths(paths);
  const name = files.length === 1 ? files[0]! : `${files.length} files from ${files[0]!}`;
  const batches = batchSize === undefined ? '' : ` in batches(${batchSize}${dropRemainder ? ', drop remainder' : ''})`;
  const plan = { name: `${format} ${name}`, files, open, onBadRecord, batchSize, dropRemainder };
  const stage: Stage<unknown> = { label: `${format} ${name}${batches}`, length: undefined, open: () => new BlockCursor(plan) };
  return new Dataset(stage);
}

interface Plan<R, B> {
  readonly name: string;
  readonly files: readonly string[];
  readonly open: OpenBlocks<R, B>;
  readonly onBadRecord: OnBadRecord | undefined;
  readonly batchSize: number | undefined;
  readonly dropRemainder: boolean;
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

class BlockCursor<R, B> implements Cursor<R | B> {
  readonly #plan: Plan<R, B>;
  #bad: BadRecords;
  #reader: BlockReader<R, B> | undefined;
  #block: Block<R, B> | undefined;
  /** File, beginning and first record not yet given of the current block; bad records before it. */
  #file = 0;
  /** Bytes of the file, by which a restore knows it again. */
  #size: number | null = null;
  #position: PositionValue = null;
  #row = 0;
  #badBefore = 0;
  #records = 0;
  #given = 0;
  readonly #kept = new Map<string, Promise<Block<R, B>>>();
  readonly #exact = exactRequired();

  constructor(plan: Plan<R, B>) {
    this.#plan = plan;
    this.#bad = new BadRecords(plan.onBadRecord);
  }

  pull(): Maybe<R | B | End> {
    const { batchSize } = this.#plan;
    const block = this.#block;
    if (block !== undefined && this.#row + (batchSize ?? 1) <= block.length) {
      this.#given++;
      const first = this.#row;
      this.#row += batchSize ?? 1;
      return batchSize === undefined ? block.row(first) : block.slice(first, this.#row);
    }
    return batchSize === undefined ? this.#load().then((more) => (more ? this.pull() : END)) : this.#assemble(batchSize);
  }

  /** A batch that begins in the current block and goes on in the next ones. */
  async #assemble(size: number): Promise<B | End> {
    let batch: B | undefined;
    let filled = 0;
    while (filled < size) {
      const block = this.#block;
      if (block === undefined || this.#row >= block.length) {
        if (!(await this.#load())) break;
        continue;
      }
      const end = Math.min(block.length, this.#row + size - filled);
      const piece = block.slice(this.#row, end);
      filled += end - this.#row;
      this.#row = end;
      batch = batch === undefined ? piece : concatenateBatches(batch, piece);
    }
    if (batch === undefined || (filled < size && this.#plan.dropRemainder)) return this.#none(filled, size);
    this.#given++;
    return batch;
  }

  #none(filled: number, size: number): End {
    if (this.#given === 0 && filled > 0) throw tooFew(this.#plan.name, filled, size);
    return END;
  }

  /** Goes to the next block that has records; false at the end of the last file. */
  async #load(): Promise<boolean> {
    const { files, name } = this.#plan;
    for (;;) {
      if (this.#file >= files.length) {
        if (this.#records === 0)
          throw new DataError(`${name} has no records${this.#bad.skipped > 0 ? ` but ${this.#bad.skipped} bad ones` : ''}.`);
        this.#bad.summarize(name, this.#records);
        this.#bad = new BadRecords(this.#plan.onBadRecord);
        return false;
      }
      const reader = (this.#reader ??= this.#open(files[this.#file]!));
      const before = this.#bad.skipped;
      const next = await reader.next();
      if (next === undefined) {
        await this.#closeFile();
        this.#file++;
        this.#block = undefined;
        this.#position = null;
        this.#row = 0;
        this.#badBefore = this.#bad.skipped;
        continue;
      }
      this.#block = next.block;
      this.#position = next.position;
      this.#row = 0;
      this.#badBefore = before;
      this.#records += next.block.length;
      if (next.block.length > 0) return true;
    }
  }

  #open(path: string): BlockReader<R, B> {
    const reader = this.#plan.open(path, this.#bad);
    this.#size = sizeOf(path) ?? null;
    return reader;
  }

  state(): PositionValue {
    if (this.#exact && this.#given > 0 && this.#reader?.seekable === false) throw replayRefused(this.#plan.name, 'it is compressed');
    const size = this.#position === null ? null : this.#size;
    return [this.#file, this.#position, this.#row, this.#badBefore, this.#records - (this.#block?.length ?? 0), this.#given, size];
  }

  async restore(state: PositionValue): Promise<void> {
    const [file, position, row, badBefore, records, given, size] = list(state, 'position in files');
    this.#file = count(file, 'file number');
    this.#badBefore = count(badBefore, 'count of bad records');
    this.#records = count(records, 'count of records');
    this.#given = count(given, 'count of elements');
    this.#bad = new BadRecords(this.#plan.onBadRecord, this.#badBefore);
    if (position === null || position === undefined) return;
    if (this.#file >= this.#plan.files.length)
      throw new DataError(`${this.#plan.name}: the saved position is in file ${this.#file + 1}, but there are ${this.#plan.files.length}.`);
    const path = this.#plan.files[this.#file]!;
    const now = sizeOf(path);
    if (typeof size === 'number' && now !== undefined && now !== size)
      throw new DataError(`${path} is another file than when the position was saved: it had ${size} bytes, now it has ${now}.`);
    this.#reader = this.#open(path);
    await this.#reader.seek(position);
    await this.#load();
    this.#row = count(row, 'record number');
    if (this.#row > (this.#block?.length ?? 0)) throw this.#changed();
  }

  #changed(): DataError {
    return new DataError(`${this.#plan.files[this.#file] ?? this.#plan.name} is another file than when the position was saved.`);
  }

  address(): PositionValue | undefined {
    return this.#reader?.seekable && this.#plan.batchSize === undefined ? [this.#file, this.#position, this.#row - 1] : undefined;
  }

  fetch(address: PositionValue): Maybe<R | B> {
    const [file, position, row] = list(address, 'address of a record');
    const key = JSON.stringify([file, position]);
    let block = this.#kept.get(key);
    if (block === undefined) {
      block = this.#read(this.#plan.files[count(file, 'file number')]!, position!);
      this.#kept.set(key, block);
      if (this.#kept.size > KEPT_BLOCKS) this.#kept.delete(this.#kept.keys().next().value!);
    }
    return block.then((loaded) => loaded.row(count(row, 'record number')));
  }

  /** Block by block, so that each is read once. */
  async fetchAll(addresses: readonly PositionValue[]): Promise<(R | B)[]> {
    const blockOf = addresses.map((address) => JSON.stringify(list(address, 'address of a record').slice(0, 2)));
    const order = Array.from(blockOf.keys()).sort((a, b) => (blockOf[a]! < blockOf[b]! ? -1 : blockOf[a]! > blockOf[b]! ? 1 : a - b));
    const records = new Array<R | B>(addresses.length);
    for (const place of order) records[place] = await this.fetch(addresses[place]!);
    return records;
  }

  locate(address: PositionValue): string {
    const [file, position, row] = list(address, 'address of a record');
    return `record ${count(row, 'record number') + 1} of the block at ${JSON.stringify(position)} of ${this.#plan.files[count(file, 'file number')]}`;
  }

  async #read(path: string, position: PositionValue): Promise<Block<R, B>> {
    const policy = this.#plan.onBadRecord;
    const reader = this.#plan.open(path, new BadRecords(policy === undefined || policy === 'error' ? policy : { skip: Infinity }));
    try {
      await reader.seek(position);
      const next = await reader.next();
      if (next === undefined) throw this.#changed();
      return next.block;
    } finally {
      await reader.close();
    }
  }

  async #closeFile(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }

  close(): Maybe<void> {
    this.#kept.clear();
    return chain(this.#closeFile(), () => undefined);
  }
}
