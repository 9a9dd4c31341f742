import { ConfigError, UsageError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { zipDatasets } from '../from.js';
import { concatenateBatches, type Batched } from '../structure.js';
import { recordsOf } from '../tfrecord/read.js';
import { pickDatasetFn, type DatasetFn } from '../tfrecord/file-types.js';
import { InputReader } from './input-reader.js';
import type { InputPipeline, InputReaderOptions } from './options.js';
import type { DataConfig } from '../config.js';
import { matchFiles } from './files.js';

/** The pseudo-labeled part of a data config: `pseudo_label_data`. */
export interface PseudoLabelData {
  /** Files of the pseudo-labeled examples. */
  readonly input_path: unknown;
  /** Pseudo-labeled examples for each labeled one of a batch; negative: `global_batch_size` of this part says how many. */
  readonly data_ratio: number;
  /** Pseudo-labeled examples of a batch, where `data_ratio` is negative. */
  readonly global_batch_size: number;
  /** `tfrecord` or `tfrecord_compressed`; read by {@link inputReaderGenerator}. */
  readonly file_type?: string;
}

/** A data config with pseudo-labeled data. */
export type CombinationParams = DataConfig & { readonly pseudo_label_data: PseudoLabelData };

/** What a {@link CombinationDatasetInputReader} does; as for an {@link InputReader}. */
export interface CombinationReaderOptions<R = Uint8Array, D = R, E = D, B = Batched<E>, P = B> extends InputReaderOptions<R, D, E, B, P> {
  /** The data config; `pseudo_label_data` describes the second source. */
  readonly params: CombinationParams;
  /** Opens the records of the pseudo-labeled files; default: plain record files. */
  readonly pseudoLabelDatasetFn?: DatasetFn<R>;
}

/**
 * How a batch of `total` is divided: with `ratio` r ≥ 0 into total − p labeled and p = ⌊total · r / (1 + r)⌋ pseudo-labeled
 * examples, else p is `fallback`. Throws a {@link ConfigError} for sizes that cannot be divided so.
 */
export function calculateBatchSizes(total: number, ratio: number, fallback: number): { readonly labeled: number; readonly pseudo: number } {
  if (total < 0) throw new ConfigError(`global_batch_size is ${total}; at least 0 was expected.`, { path: 'global_batch_size' });
  if (ratio >= 0) {
    const pseudo = Math.floor(total * (ratio / (1 + ratio)));
    return { labeled: total - pseudo, pseudo };
  }
  if (!(fallback >= 0 && fallback <= total)) {
    throw new ConfigError(
      `pseudo_label_data.data_ratio is negative, so pseudo_label_data.global_batch_size says how many pseudo-labeled examples a batch has: ` +
        `it is ${fallback}, expected 0 to ${total} (global_batch_size).`,
      { path: 'pseudo_label_data.global_batch_size' },
    );
  }
  return { labeled: total - fallback, pseudo: fallback };
}

/**
 * Reads labeled and pseudo-labeled data through the same stages and joins a batch of each to one, labeled examples first; ends
 * with the shorter source. Throws a {@link ConfigError} unless `drop_remainder` is true.
 */
export class CombinationDatasetInputReader<R = Uint8Array, D = R, E = D, B = Batched<E>, P = B> extends InputReader<R, D, E, B, P> {
  readonly #options: CombinationReaderOptions<R, D, E, B, P>;
  readonly #pseudoFiles: readonly string[];

  constructor(options: CombinationReaderOptions<R, D, E, B, P>) {
    super(options);
    this.#options = options;
    this.#pseudoFiles = matchFiles(options.params.pseudo_label_data.input_path, 'pseudo_label_data.input_path');
    if (!options.params.drop_remainder) {
      throw new ConfigError('drop_remainder must be true where labeled and pseudo-labeled data are combined.', { path: 'drop_remainder' });
    }
  }

  /** The joined batches for one input pipeline. Files are always read: a `dataset` is refused. */
  override read(inputContext?: InputPipeline | null, dataset?: Dataset<R> | Readonly<Record<string, Dataset<R>>> | null): Dataset<P> {
    if (dataset !== undefined && dataset !== null) {
      throw new UsageError('read() of a CombinationDatasetInputReader takes no data set: it reads two sources of files.');
    }
    const context = inputContext ?? undefined;
    const { global_batch_size: total, pseudo_label_data: second } = this.#options.params;
    const { labeled, pseudo } = calculateBatchSizes(total, second.data_ratio, second.global_batch_size);
    const empty = labeled === 0 ? 'labeled' : pseudo === 0 ? 'pseudo-labeled' : undefined;
    if (empty !== undefined) {
      throw new ConfigError(
        `A batch of ${total} with pseudo_label_data.data_ratio ${second.data_ratio} has ${labeled} labeled and ${pseudo} pseudo-labeled examples: ` +
          `none is ${empty}. Choose another ratio or a larger batch${pseudo === 0 ? ', or leave pseudo_label_data out' : ''}.`,
        { path: 'pseudo_label_data.data_ratio' },
      );
    }
    const batches = (decoded: Dataset<D>, size: number): Dataset<B> => this.parseAndBatch(decoded, this.perReplica(size, context), context);
    const first = batches(this.readSource(this.files, context), labeled);
    const other = batches(
      this.readSource(this.#pseudoFiles, context, this.#options.pseudoLabelDatasetFn ?? (recordsOf as unknown as DatasetFn<R>)),
      pseudo,
    );
    return this.finish(zipDatasets<[B, B]>([first, other]).map(([a, b]) => concatenateBatches(a, b)));
  }
}

/**
 * The reader that a data config asks for: a {@link CombinationDatasetInputReader} for training with `pseudo_label_data`, whose
 * files are of its `file_type`; else an {@link InputReader}.
 */
export function inputReaderGenerator<R = Uint8Array, D = R, E = D, B = Batched<E>, P = B>(
  params: DataConfig & { readonly pseudo_label_data?: PseudoLabelData | null },
  options: Omit<InputReaderOptions<R, D, E, B, P>, 'params'> = {},
): InputReader<R, D, E, B, P> {
  const { pseudo_label_data: second } = params;
  if (params.is_training !== true || second === undefined || second === null) return new InputReader({ ...options, params });
  return new CombinationDatasetInputReader({
    ...options,
    params: params as CombinationParams,
    pseudoLabelDatasetFn: pickDatasetFn(second.file_type ?? 'tfrecord') as DatasetFn<unknown> as DatasetFn<R>,
  });
}
