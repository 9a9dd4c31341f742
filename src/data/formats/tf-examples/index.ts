import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import type { Dataset } from '../../dataset.js';
import { ByteWindow, type Compression, type Paths } from '../../files/index.js';
import { count } from '../../random-access.js';
import { blockDataset, type BatchOptions, type Block, type BlockReader, type StreamOptions } from '../../sources/blocks.js';
import { listBlock } from '../../sources/list-block.js';
import type { PositionValue } from '../../stage.js';
import { stack, type Batched } from '../../structure.js';
import { parseExample, recordAt, type FeatureSpec, type ParsedExample } from '../../tfrecord/index.js';
import { TableBlock } from '../table/index.js';
import { ColumnParser } from './wire.js';

/** How {@link fromTfExamples} reads. */
export interface TfExamplesOptions extends StreamOptions, BatchOptions {
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
}

type Specs = Readonly<Record<string, FeatureSpec>>;

/**
 * The `tf.train.Example` records of record files, parsed to the features of `specs`, one file after the other; batches of them
 * with `batchSize`. Checksums are verified; positions are exact. With `onBadRecord`, records whose contents are damaged or do
 * not fit the specs are left out; a damaged length ends the file, for nothing behind it can be found.
 */
export function fromTfExamples<const S extends Specs>(
  paths: Paths,
  specs: S,
  options: TfExamplesOptions & { readonly batchSize: number },
): Dataset<Batched<ParsedExample<S>>>;
export function fromTfExamples<const S extends Specs>(paths: Paths, specs: S, options?: TfExamplesOptions): Dataset<ParsedExample<S>>;
export function fromTfExamples(paths: Paths, specs: Specs, options: TfExamplesOptions = {}): Dataset<unknown> {
  return blockDataset<unknown, unknown>(
    'tf examples',
    paths,
    (path, bad) => new ExampleReader(path, options.compression ?? 'auto', specs, bad),
    options,
  );
}

/** Records of a block at most. */
const BLOCK_RECORDS = 1024;

class ExampleReader implements BlockReader<unknown, unknown> {
  readonly #window: ByteWindow;
  readonly #fast: boolean;

  constructor(
    readonly path: string,
    compression: Compression,
    readonly specs: Specs,
    readonly bad: BadRecords,
  ) {
    this.#window = new ByteWindow(path, compression);
    this.#fast = ColumnParser.takes(Object.values(specs));
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
        if (record.damaged) this.#report(window.offset + record.begin - 12 - begin, new DataError('its checksum does not match'));
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
    this.bad.report(new DataError(`${this.path}, record at byte ${byte}: ${error.message}`, { cause: error }));
  }

  #parse(buffer: Buffer, spans: readonly number[], start: number): Block<unknown, unknown> {
    const general = (begin: number, end: number): Record<string, unknown> | undefined => {
      try {
        return parseExample(new Uint8Array(buffer.subarray(begin, end)), this.specs);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        this.#report(start + begin - 12, error);
        return undefined;
      }
    };
    if (!this.#fast) {
      const rows: unknown[] = [];
      for (let i = 0; i < spans.length; i += 2) {
        const row = general(spans[i]!, spans[i + 1]!);
        if (row !== undefined) rows.push(row);
      }
      return listBlock<unknown, unknown>(rows, stack);
    }
    const parser = new ColumnParser(Object.keys(this.specs), Object.values(this.specs), spans.length / 2);
    let kept = 0;
    for (let i = 0; i < spans.length; i += 2) {
      if (!parser.parse(buffer, spans[i]!, spans[i + 1]!, kept)) {
        const row = general(spans[i]!, spans[i + 1]!);
        if (row === undefined) continue;
        parser.put(kept, row);
      }
      kept++;
    }
    return new TableBlock(parser.finish(kept), kept);
  }

  async seek(position: PositionValue): Promise<void> {
    await this.#window.seek(count(position, 'byte offset'));
  }

  close(): Promise<void> {
    return this.#window.close();
  }
}
