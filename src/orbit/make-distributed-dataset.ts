/** Gives a dataset to a distribution strategy. */
import { UsageError } from '../errors.js';
import { type Datasets, isDatasets } from './dataset.js';
import type { MaybePromise } from './types.js';

/** What one input pipeline must know to read only its share. */
export interface InputContext {
  /** How many pipelines read the data, one on each host. */
  readonly numInputPipelines: number;
  /** Which of them this is, from 0. */
  readonly inputPipelineId: number;
  /** Model copies that train in step. */
  readonly numReplicasInSync: number;
}

/** The part of a distribution strategy that concerns data. */
export interface InputStrategy<O = unknown> {
  /** Context of this process's pipeline. Default: the only one, with one replica. */
  readonly inputContext?: InputContext;
  /** Splits a dataset among the replicas. Default: the dataset is used as it is. */
  distributeDataset?<D extends Datasets>(dataset: D, inputOptions: O | null): MaybePromise<D>;
  /** Calls a function for each pipeline. Default: once. */
  distributeDatasetsFromFunction?<D>(fn: (context: InputContext) => D, inputOptions: O | null): D;
}

const SINGLE: InputContext = { numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 1 };

/**
 * Makes the dataset that a trainer or evaluator reads.
 * @param strategy null: one device
 * @param datasetOrFn a dataset, which the strategy splits; or a function, called once per input pipeline with `args` and then the {@link InputContext}
 * @param options.args arguments of the function
 * @param options.inputOptions passed to the strategy
 */
export function makeDistributedDataset<D extends Datasets, A extends readonly unknown[] = [], O = unknown>(
  strategy: InputStrategy<O> | null | undefined,
  datasetOrFn: D | ((...args: [...A, InputContext]) => MaybePromise<D>),
  options: { args?: A; inputOptions?: O | null } = {},
): MaybePromise<D> {
  const inputOptions = options.inputOptions ?? null;
  if (typeof datasetOrFn === 'function') {
    const make = datasetOrFn as (...args: unknown[]) => MaybePromise<D>;
    const fn = (context: InputContext): MaybePromise<D> => make(...(options.args ?? []), context);
    return strategy?.distributeDatasetsFromFunction?.(fn, inputOptions) ?? fn(strategy?.inputContext ?? SINGLE);
  }
  if (!isDatasets(datasetOrFn)) {
    throw new UsageError('`datasetOrFn` should be a dataset or a function that makes one.');
  }
  return strategy?.distributeDataset?.(datasetOrFn, inputOptions) ?? datasetOrFn;
}
