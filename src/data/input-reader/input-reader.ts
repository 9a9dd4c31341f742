import { checkSupported } from '../../config/index.js';
import { ConfigError, DataError, UsageError } from '../../errors.js';
import { Dataset } from '../dataset.js';
import { batch } from '../operators/batch.js';
import { filterIn } from '../operators/filter.js';
import { mapIn } from '../operators/map.js';
import { someBatch } from '../sources/some-batch.js';
import type { Batched } from '../structure.js';
import type { DatasetFn } from '../tfrecord/file-types.js';
import { recordsOf } from '../tfrecord/read.js';
import { InWorker, type WorkerOptions } from '../workers/index.js';
import { asDataConfig, checkFileType, checkOptions, checkSources, checkWorkers, isList, isMapping, isSet } from './checks.js';
import { matchFiles } from './files.js';
import { openNamed } from './named.js';
import type { Files, InputPipeline, InputReaderOptions, StageFn } from './options.js';
import { readFiles, shareOf } from './source-stage.js';

/** Elements worked on ahead when `prefetch_buffer_size` is null or 0. */
const AUTOMATIC_PREFETCH = 2;

/**
 * Reads what a {@link DataConfig} describes: files → records → shuffle → decode → combine → sample → parse → filter → cache →
 * batch → postprocess → prefetch. For training the data repeat for ever. Order is a function of `seed` (null: 0) alone.
 *
 * Constructing it matches the files; it throws a {@link ConfigError} where the config names none, or too many sources.
 */
export class InputReader<R = Uint8Array, D = R, E = D, B = Batched<E>, P = B> {
  readonly #options: InputReaderOptions<R, D, E, B, P>;
  readonly #files: Files | undefined;
  readonly #named: Dataset<R> | Record<string, Dataset<R>> | undefined;

  constructor(options: InputReaderOptions<R, D, E, B, P>) {
    checkOptions(options);
    const params = asDataConfig(options.params);
    this.#options = { ...options, params };
    const { input_path: inputPath, tfds_name: tfdsName, tfds_split: tfdsSplit } = params;
    checkSources(params, options.combineFn !== undefined);
    if (isSet(tfdsName)) this.#named = openNamed<R>(params);
    if (!isSet(inputPath) && tfdsSplit === '') {
      throw new ConfigError('There is no source of data: input_path is empty, and tfds_split too.', { path: 'input_path' });
    }
    checkSupported(params);
    checkWorkers(options);
    checkFileType(options.params, options.datasetFn);
    if (isSet(inputPath)) {
      this.#files = isMapping(inputPath)
        ? Object.fromEntries(Object.entries(inputPath).map(([name, value]) => [name, this.getFiles(value, `input_path.${name}`)]))
        : this.getFiles(inputPath, 'input_path');
    }
  }

  /** The files that a value of `input_path` means; override it for other file systems. `path` names the field in errors. */
  protected getFiles(inputPath: unknown, path: string): string[] {
    return matchFiles(inputPath, path);
  }

  /**
   * The batches for one input pipeline (default: the only one). A given `dataset` (or several by name, for `combineFn`) stands for
   * the records of the files: it is not repeated or sharded here, everything else is done.
   */
  read(inputContext?: InputPipeline | null, dataset?: Dataset<R> | Readonly<Record<string, Dataset<R>>> | null): Dataset<P> {
    const context = inputContext ?? undefined;
    const batchSize = this.#options.transformAndBatchFn === undefined ? this.#batchSize(context) : 0;
    const given = dataset ?? undefined;
    const decoded = given === undefined ? this.readSource(this.#files, context) : this.#decodeGiven(given);
    const batches = this.finish(this.parseAndBatch(decoded, batchSize, context));
    const { length, stage } = batches;
    // A stream that is repeated for ever may yet be empty.
    const isCounted = length !== undefined && (length !== Infinity || stage.random !== undefined);
    return isCounted ? batches : someBatch(batches, this.#nothing(batchSize));
  }

  /** What a pass without any batch is told as. */
  #nothing(batchSize: number): string {
    const { input_path: input, tfds_name: name, drop_remainder: dropped } = this.#options.params;
    const source = JSON.stringify(isSet(input) ? input : name);
    const reason =
      batchSize > 0 && dropped ? `fewer examples than one batch of ${batchSize}, and drop_remainder drops the rest` : 'no examples';
    return `${isSet(input) || isSet(name) ? `The data (${source})` : 'The data'} have ${reason}.`;
  }

  /** The files that were matched; undefined where there is no `input_path`. */
  protected get files(): Files | undefined {
    return this.#files;
  }

  /** Decoded records of files. */
  protected readSource(
    files: Files | undefined,
    context: InputPipeline | undefined,
    // Without datasetFn, R is the record's bytes.
    datasetFn: DatasetFn<R> = this.#options.datasetFn ?? (recordsOf as unknown as DatasetFn<R>),
  ): Dataset<D> {
    if (files === undefined) return this.#readNamed(context);
    const read = (list: readonly string[]): Dataset<D> => this.#shuffleAndDecode(readFiles(list, this.#options.params, context, datasetFn));
    if (isList(files)) return read(files);
    return this.#combined(files, read);
  }

  #decodeGiven(given: Dataset<R> | Readonly<Record<string, Dataset<R>>>): Dataset<D> {
    const decode = (records: Dataset<R>): Dataset<D> => this.#shuffleAndDecode(records);
    return given instanceof Dataset ? decode(given) : this.#combined(given, decode);
  }

  /** Sources by name as one data set. */
  #combined<S>(sources: Readonly<Record<string, S>>, open: (source: S) => Dataset<D>): Dataset<D> {
    const { combineFn } = this.#options;
    if (combineFn === undefined)
      throw new UsageError('Data sets by name were given to read(), so a combineFn is needed to make one of them.');
    return combineFn(Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, open(source)])));
  }

  /** Decoded records of registered data sets: each pipeline's share of the records. */
  #readNamed(context: InputPipeline | undefined): Dataset<D> {
    const named = this.#named;
    if (named === undefined) {
      throw new ConfigError('input_path and tfds_name are empty; give files, a registered data set, or a data set to read().', {
        path: 'input_path',
      });
    }
    const read = (records: Dataset<R>): Dataset<D> => this.#shuffleAndDecode(shareOf(records, this.#options.params, context));
    if (named instanceof Dataset) return read(named);
    return this.#combined(named, read);
  }

  get #training(): boolean {
    return this.#options.params.is_training === true;
  }

  #shuffle<E>(dataset: Dataset<E>): Dataset<E> {
    const { shuffle_buffer_size: bufferSize, seed } = this.#options.params;
    if (bufferSize < 1) {
      throw new ConfigError(`shuffle_buffer_size is ${bufferSize}; at least 1 was expected (1 leaves the order as it is).`, {
        path: 'shuffle_buffer_size',
      });
    }
    return dataset.shuffle({ bufferSize, seed: seed ?? 0 });
  }

  #shuffleAndDecode(records: Dataset<R>): Dataset<D> {
    const shuffled = this.#training && !this.#options.params.cache ? this.#shuffle(records) : records;
    return this.#mapped(shuffled, this.#options.decoderFn, 'decoderFn');
  }

  #parse(decoded: Dataset<D>): Dataset<E> {
    const { params, sampleFn, parserFn, filterFn } = this.#options;
    let examples = this.#mapped(sampleFn === undefined ? decoded : sampleFn(decoded), parserFn, 'parserFn');
    if (filterFn !== undefined) examples = new Dataset(filterIn(examples.stage, filterFn, this.#workerOptions(filterFn), 'filterFn'));
    if (!params.cache) return examples;
    return this.#training ? this.#shuffle(examples.cache().repeat()) : examples.cache();
  }

  /** Batches of decoded records: sampled, parsed, filtered, cached, batched. */
  protected parseAndBatch(decoded: Dataset<D>, batchSize: number, context: InputPipeline | undefined): Dataset<B> {
    const { params, transformAndBatchFn } = this.#options;
    const examples = this.#parse(decoded);
    if (transformAndBatchFn !== undefined) return transformAndBatchFn(examples, context);
    // Without a single batch the error is this reader's, with files and the names of the config.
    const batches = new Dataset<unknown>(batch(examples.stage, batchSize, params.drop_remainder, false)) as Dataset<B>;
    if (batches.length === 0 && examples.length !== 0) {
      throw new DataError(
        `The data have ${examples.length} examples, less than one batch of ${batchSize}, and drop_remainder drops the rest.`,
      );
    }
    return batches;
  }

  /** Batches as the training gets them: postprocessed, worked on ahead. */
  protected finish(batches: Dataset<B>): Dataset<P> {
    const ahead = this.#options.params.prefetch_buffer_size ?? 0;
    if (ahead < 0)
      throw new ConfigError(`prefetch_buffer_size is ${ahead}; at least 0, or null, was expected.`, { path: 'prefetch_buffer_size' });
    return this.#mapped(batches, this.#options.postprocessFn, 'postprocessFn').prefetch(ahead === 0 ? AUTOMATIC_PREFETCH : ahead);
  }

  /** Without a function the types on both sides are the same one: a type parameter's default. */
  #mapped<A, Z>(dataset: Dataset<A>, fn: StageFn<A, Z> | undefined, name: string): Dataset<Z> {
    if (fn === undefined) return dataset as Dataset<unknown> as Dataset<Z>;
    return new Dataset(mapIn(dataset.stage, fn, this.#workerOptions(fn), name));
  }

  #workerOptions(fn: unknown): WorkerOptions {
    const { workers, timeoutSeconds, params } = this.#options;
    return fn instanceof InWorker ? { workers, timeoutSeconds, seed: params.seed ?? 0 } : {};
  }

  #batchSize(context: InputPipeline | undefined): number {
    return this.perReplica(this.#options.params.global_batch_size, context);
  }

  /** A replica's part of a batch. Throws a {@link ConfigError} where the batch cannot be divided. */
  protected perReplica(size: number, context: InputPipeline | undefined): number {
    const replicas = context?.numReplicasInSync ?? 1;
    if (size < 1) throw new ConfigError(`global_batch_size is ${size}; at least 1 was expected.`, { path: 'global_batch_size' });
    if (size % replicas !== 0) {
      throw new ConfigError(`global_batch_size is ${size}, which cannot be divided among ${replicas} replicas.`, {
        path: 'global_batch_size',
      });
    }
    return size / replicas;
  }
}
