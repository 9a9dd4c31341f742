import type { DataConfig } from '../config.js';
import type { Dataset } from '../dataset.js';
import type { Maybe } from '../stage.js';
import type { Batched } from '../structure.js';
import type { DatasetFn } from '../tfrecord/file-types.js';
import type { InWorker } from '../workers/index.js';

/** Which of several input pipelines reads, and for how many replicas. */
export interface InputPipeline {
  /** Pipelines that share the data. */
  readonly numInputPipelines: number;
  /** Number of this one, from 0. */
  readonly inputPipelineId: number;
  /** Replicas that the global batch is divided among. */
  readonly numReplicasInSync: number;
}

/** A function of a stage: one of this thread, or one that `inWorker` names. */
export type StageFn<A, Z> = ((element: A) => Maybe<Z>) | InWorker<A, Z>;

/**
 * What an {@link InputReader} does at each stage; every function is optional. The types flow from record `R` through decoded
 * record `D`, example `E` and batch `B` to postprocessed batch `P`. Functions are pure: a resumed run calls them again.
 */
export interface InputReaderOptions<R = Uint8Array, D = R, E = D, B = Batched<E>, P = B> {
  /** The data config. */
  readonly params: DataConfig;
  /** Opens the records of one or several files; default: plain record files. */
  readonly datasetFn?: DatasetFn<R>;
  /** Decodes a record. */
  readonly decoderFn?: StageFn<R, D>;
  /** Joins named sources into one data set. */
  readonly combineFn?: (datasets: Record<string, Dataset<NoInfer<D>>>) => Dataset<NoInfer<D>>;
  /** Picks from, weighs or reorders decoded records. */
  readonly sampleFn?: (dataset: Dataset<NoInfer<D>>) => Dataset<NoInfer<D>>;
  /** Turns a decoded record into an example. */
  readonly parserFn?: StageFn<D, E>;
  /** Keeps the examples for which it answers true. */
  readonly filterFn?: StageFn<E, boolean>;
  /** Batches in place of the reader; sizes are then its job. */
  readonly transformAndBatchFn?: (dataset: Dataset<E>, inputContext?: InputPipeline) => Dataset<B>;
  /** Works on batches. */
  readonly postprocessFn?: StageFn<B, P>;
  /** Threads for functions named by `inWorker`; default: the processors but one, 8 at most. 0: this thread. */
  readonly workers?: number;
  /** Seconds that one call of such a function may take; default 300, `Infinity`: no limit. */
  readonly timeoutSeconds?: number;
}

/** Matched files: a list, or lists by name. */
export type Files = readonly string[] | Readonly<Record<string, readonly string[]>>;
