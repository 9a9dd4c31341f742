import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { ByteWindow, type Compression } from '../../files/index.js';
import { count } from '../../random-access.js';
import type { Block, BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import { recordAt } from '../../tfrecord/index.js';

/**
 * Parses the records that lie in a buffer, each from `spans[i]` to `spans[i + 1]`. `attempt(i, parse)` parses the record of span i
 * by itself; where that fails with a DataError, the record is reported as bad and undefined comes back.
 */
export type ParseRecords = (
  buffer: Buffer,
  spans: readonly number[],
  attempt: <T>(index: number, parse: (bytes: Uint8Array) => T) => T | undefined,
) => Block<unknown, unknown>;

/** Records of a block at most. */
const BLOCK_RECORDS = 1024;

/** The error of a record that cannot be used. */
export function badRecord(path: string, byte: number, error: Error): DataError {
  return new DataError(`${path}, record at byte ${byte}: ${error.message}`, { cause: error });
}

/** Reads the records of a record file block by block, verifying checksums. Positions are bytes of the uncompressed file. */
export class RecordBlocks implements BlockReader<unknown, unknown> {
  readonly #window: ByteWindow;

  constructor(
    readonly path: string,
    compression: Compression,
    readonly parse: ParseRecords,
    readonly bad: BadRecords,
  ) {
    this.#window = new ByteWindow(path, compression);
  }

  get seekable(): boolean {
    return this.#window.seekable;
  }

  async next(): Promise<{ block: Block<unknown, unknown>; position: PositionValue } | undefined> {
    const window = this.#window;
    const position = window.offset;
    const spans: number[] = [];
    for (;;) {
      const begin = window.at;
      let at = begin;
      while (spans.length < 2 * BLOCK_RECORDS) {
        const record = recordAt(this.path, window.buffer, at, window.offset + at - begin);
        if (record === undefined) break;
        at = record.end;
        if (record.damaged) this.#report(window.offset + record.begin - 12 - begin, new DataError('its checksum does not match.'));
        else spans.push(record.begin, record.end - 4);
      }
      if (spans.length > 0 || at > begin) {
        const block = this.#parse(window.buffer, spans, window.offset - begin);
        window.at = at;
        return { block, position };
      }
      if (window.ended) {
        if (window.buffer.length > window.at)
          throw new DataError(
            `${this.path} is truncated: it ends inside the record at byte ${window.offset}. Download or copy the file again.`,
          );
        return undefined;
      }
      await window.more();
    }
  }

  #report(byte: number, error: Error): void {
    this.bad.report(badRecord(this.path, byte, error));
  }

  #parse(buffer: Buffer, spans: readonly number[], start: number): Block<unknown, unknown> {
    return this.parse(buffer, spans, (i, parse) => {
      try {
        return parse(new Uint8Array(buffer.subarray(spans[i], spans[i + 1])));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        this.#report(start + spans[i]! - 12, error);
        return undefined;
      }
    });
  }

  async seek(position: PositionValue): Promise<void> {
    await this.#window.seek(count(position, 'byte offset'));
  }

  close(): Promise<void> {
    return this.#window.close();
  }
}
