import type { BadRecords, OnBadRecord } from '../bad-records.js';
import type { PositionValue } from '../stage.js';

/** Some consecutive records of a file, decoded together. */
export interface Block<R, B> {
  /** Number of records. */
  readonly length: number;
  /** One record. */
  row(index: number): R;
  /** Records `begin` up to `end` (excluded) as a batch. */
  slice(begin: number, end: number): B;
  /** A batch whose i-th record is record `row[i]` of `blocks[block[i]]`; the blocks are of this one's kind. */
  gather(blocks: readonly Block<R, B>[], block: Uint32Array, row: Uint32Array): B;
}

/** Reads a file block by block. */
export interface BlockReader<R, B> {
  /** The next block and where it begins; undefined at the end. */
  next(): Promise<{ readonly block: Block<R, B>; readonly position: PositionValue } | undefined>;
  /** Goes to where a block begins. */
  seek(position: PositionValue): Promise<void>;
  /** Whether seeking is cheap: false in compressed files, which are decompressed from their start. Known after the first block. */
  readonly seekable: boolean;
  /** Closes the file. */
  close(): Promise<void>;
}

/** Options of every reader that goes through files in order. */
export interface StreamOptions {
  /** What to do with a record that cannot be used; default `'error'`. Left-out records are counted in one line at the end of a pass. */
  readonly onBadRecord?: OnBadRecord;
}

/** Opens a file; records that cannot be used go to `bad`. */
export type OpenBlocks<R, B> = (path: string, bad: BadRecords) => BlockReader<R, B>;
