import { closeSync, fstatSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

import { DataError } from '../../errors.js';
import { cannotRead, detectCompressionSync, expandPaths, type Paths, openToRead } from '../files/index.js';
import type { Block } from '../sources/blocks.js';
import type { GroupSource } from '../sources/groups.js';
import { FOOTER_BYTES, HEADER_BYTES, payloadLength, recordAt } from './record-at.js';

/** Consecutive records of a file: read together, and found again by two numbers instead of one per record. */
interface Run {
  readonly begin: number;
  readonly end: number;
  readonly records: number;
}

/** Bytes of a run, more where one record is longer. */
const RUN_BYTES = 2 ** 18;
/** Bytes that are read at a time to find records. Contents of longer records are passed over. */
const SCAN_BYTES = 2 ** 20;

/** Makes a block of the records that lie in a buffer, record i from `spans[2 i]` to `spans[2 i + 1]`; the buffer lies at byte `start` of the file. */
export type ParseRun<R, B> = (path: string, buffer: Buffer, spans: readonly number[], start: number) => Block<R, B>;

/**
 * Record files by position: they are gone through once, from record head to record head, to learn where the records are.
 * Checksums of the contents are verified when they are read. Throws a {@link DataError} for a compressed, truncated or damaged file.
 */
export function indexedRecords<R, B>(format: string, paths: Paths, parse: ParseRun<R, B>): GroupSource<R, B> {
  const files = expandPaths(paths);
  const runs = files.flatMap((path) => scan(path).map((run) => ({ path, run })));
  return {
    name: `${format} ${files.length === 1 ? files[0]! : `${files.length} files from ${files[0]!}`}`,
    groups: runs.map(({ run }) => ({ rows: run.records, bytes: run.end - run.begin })),
    read: async (group) => {
      const { path, run } = runs[group]!;
      const buffer = await bytesOf(path, run);
      return parse(path, buffer, spansOf(path, run, buffer), run.begin);
    },
    locate: (group, row) => `record ${row + 1} after byte ${runs[group]!.run.begin} of ${runs[group]!.path}`,
  };
}

function scan(path: string): Run[] {
  const compression = detectCompressionSync(path);
  if (compression !== 'none')
    throw new DataError(
      `${path} is compressed with ${compression}: its records have no places to be indexed. Decompress it, or leave out indexed.`,
    );
  const runs: Run[] = [];
  const file = openToRead(path);
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.allocUnsafe(SCAN_BYTES);
    let [start, there] = [0, 0]; // of the file's bytes in the buffer
    let [begin, records] = [0, 0];
    for (let at = 0; at < size;) {
      if (at + HEADER_BYTES > start + there || at < start) {
        start = at;
        there = readSync(file, buffer, 0, SCAN_BYTES, at);
      }
      if (there < HEADER_BYTES) throw truncated(path, at);
      const end = at + HEADER_BYTES + payloadLength(path, at, buffer, at - start) + FOOTER_BYTES;
      if (end > size) throw truncated(path, at);
      records++;
      at = end;
      if (at - begin < RUN_BYTES && at < size) continue;
      runs.push({ begin, end: at, records });
      [begin, records] = [at, 0];
    }
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    closeSync(file);
  }
  return runs;
}

async function bytesOf(path: string, { begin, end }: Run): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(end - begin), 0, end - begin, begin);
      if (bytesRead < end - begin) throw truncated(path, begin);
      return buffer;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function spansOf(path: string, { begin, records }: Run, buffer: Buffer): number[] {
  const spans: number[] = [];
  for (let at = 0; at < buffer.length;) {
    const record = recordAt(path, buffer, at, begin + at);
    if (record === undefined) break;
    if (record.damaged)
      throw new DataError(
        `${path}: the record at byte ${begin + at} is damaged: its checksum does not match. Download or copy the file again.`,
      );
    spans.push(record.begin, record.end - FOOTER_BYTES);
    at = record.end;
  }
  if (spans.length !== 2 * records) throw new DataError(`${path} was changed while it was read.`);
  return spans;
}

function truncated(path: string, position: number): DataError {
  return new DataError(`${path} is truncated: it ends inside the record at byte ${position}. Download or copy the file again.`);
}
