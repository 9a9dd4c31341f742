import { DataError, UsageError } from '../../../errors.js';
import { readerOptions, type OptionKinds } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import type { Compression, Paths } from '../../files/index.js';
import type { BatchOptions } from '../../sources/batch-options.js';
import { blockDataset, type StreamOptions } from '../../sources/blocks.js';
import { groupDataset, type CacheOptions } from '../../sources/groups.js';
import { listBlock } from '../../sources/list-block.js';
import { stack, type Batched } from '../../structure.js';
import {
  checkFeatureSpecs,
  checkSequenceSpecs,
  indexedRecords,
  type ParseRun,
  parseExample,
  parseSequenceExample,
  type FeatureSpec,
  type ParsedExample,
  type ParsedSequenceExample,
  type SequenceSpecs,
} from '../../tfrecord/index.js';
import { known } from '../known-options.js';
import { TableBlock } from '../table/index.js';
import { badRecord, RecordBlocks, type ParseRecords } from './record-blocks.js';
import { ColumnParser } from './wire.js';

/** How {@link fromTfSequenceExamples} reads. */
export interface TfSequenceExamplesOptions extends StreamOptions, CacheOptions {
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
  /**
   * Goes through the files once to learn where their records are (about a second per gigabyte): their number is then known, any of
   * them can be read by itself, and `shuffle` is no longer bound to a buffer. Not for compressed files, nor together with `onBadRecord`.
   * Default false.
   */
  readonly indexed?: boolean;
}

/** How {@link fromTfExamples} reads. */
export interface TfExamplesOptions extends TfSequenceExamplesOptions, BatchOptions {}

const kinds: OptionKinds<TfSequenceExamplesOptions> = { ...known.stream, ...known.cache, compression: 'value', indexed: 'switch' };

type Specs = Readonly<Record<string, FeatureSpec>>;

/**
 * The `tf.train.Example` records of record files, parsed to the features of `specs`, one file after the other; batches of them
 * with `batchSize`. Checksums are verified; positions are exact. With `onBadRecord`, records whose contents are damaged or do
 * not fit the specs (NaN, a value outside `min` and `max`) are left out; a damaged length ends the file, for nothing behind it can be found.
 */
export function fromTfExamples<const S extends Specs>(
  paths: Paths,
  specs: S,
  options: TfExamplesOptions & { readonly batchSize: number },
): Dataset<Batched<ParsedExample<S>>>;
export function fromTfExamples<const S extends Specs>(paths: Paths, specs: S, options?: TfExamplesOptions): Dataset<ParsedExample<S>>;
export function fromTfExamples(paths: Paths, specs: Specs, given?: TfExamplesOptions): Dataset<unknown> {
  const options = readerOptions<TfExamplesOptions>(given, 'fromTfExamples', { ...kinds, ...known.batch });
  checkFeatureSpecs(specs, 'fromTfExamples: specs');
  const [names, list] = [Object.keys(specs), Object.values(specs)];
  const general = oneByOne((bytes) => parseExample(bytes, specs));
  const fast: ParseRecords = (buffer, spans, attempt) => {
    const parser = new ColumnParser(names, list, spans.length / 2);
    let kept = 0;
    for (let i = 0; i < spans.length; i += 2) {
      if (!parser.parse(buffer, spans[i]!, spans[i + 1]!, kept)) {
        const row = attempt(i, (bytes) => parseExample(bytes, specs));
        if (row === undefined) continue;
        parser.put(kept, row);
      }
      kept++;
    }
    return new TableBlock(parser.finish(kept), kept);
  };
  return records('tf examples', paths, ColumnParser.takes(list) ? fast : general, options);
}

/**
 * The `tf.train.SequenceExample` records of record files: `{ context, featureLists }`, where arrays of feature lists have the
 * steps as their first axis. Sequences of different lengths make batches with `paddedBatch`. Everything else as in
 * {@link fromTfExamples}.
 */
export function fromTfSequenceExamples<const S extends SequenceSpecs>(
  paths: Paths,
  specs: S,
  given?: TfSequenceExamplesOptions,
): Dataset<ParsedSequenceExample<S>> {
  const options = readerOptions<TfSequenceExamplesOptions>(given, 'fromTfSequenceExamples', kinds);
  checkSequenceSpecs(specs, 'fromTfSequenceExamples');
  const parse = oneByOne((bytes) => parseSequenceExample(bytes, specs));
  return records('tf sequence examples', paths, parse, options) as Dataset<ParsedSequenceExample<S>>;
}

function records(format: string, paths: Paths, parse: ParseRecords, options: TfExamplesOptions): Dataset<unknown> {
  const { compression = 'auto', indexed = false, onBadRecord = 'error' } = options;
  if (indexed) {
    if (onBadRecord !== 'error')
      throw new UsageError(
        'indexed numbers the records before they are read, so that none can be left out: leave out onBadRecord or indexed.',
      );
    const strict: ParseRun<unknown, unknown> = (path, buffer, spans, start) =>
      parse(buffer, spans, (i, one) =>
        parseAt(path, start + spans[i]! - 12, () => one(new Uint8Array(buffer.subarray(spans[i], spans[i + 1])))),
      );
    return groupDataset(indexedRecords(format, paths, strict), options);
  }
  return blockDataset<unknown, unknown>(format, paths, (path, bad) => new RecordBlocks(path, compression, parse, bad), options);
}

function parseAt<T>(path: string, byte: number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw badRecord(path, byte, error);
  }
}

function oneByOne(parse: (bytes: Uint8Array) => unknown): ParseRecords {
  return (_, spans, attempt) => {
    const rows: unknown[] = [];
    for (let i = 0; i < spans.length; i += 2) {
      const row = attempt(i, parse);
      if (row !== undefined) rows.push(row);
    }
    return listBlock<unknown, unknown>(rows, stack);
  };
}
