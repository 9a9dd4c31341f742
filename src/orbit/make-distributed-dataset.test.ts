import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { type InputContext, makeDistributedDataset } from './make-distributed-dataset.js';

const shard = { numInputPipelines: 4, inputPipelineId: 2, numReplicasInSync: 8 };

describe('makeDistributedDataset', () => {
  it('uses a dataset as it is on one device', () => {
    const dataset = [1, 2];
    expect(makeDistributedDataset(null, dataset)).toBe(dataset);
  });

  it('calls a function with its arguments and then the input context', () => {
    const fn = (name: string, context: InputContext): unknown[] => [name, context];
    expect(makeDistributedDataset(null, fn, { args: ['train'] })).toEqual([
      'train',
      { numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 1 },
    ]);
    expect(makeDistributedDataset({ inputContext: shard }, fn, { args: ['eval'] })).toEqual(['eval', shard]);
  });

  it('lets the strategy split datasets and call functions, and hands it the input options', () => {
    const seen: unknown[] = [];
    const strategy = {
      distributeDataset: <D>(dataset: D, inputOptions: unknown): D => (seen.push(inputOptions), dataset),
      distributeDatasetsFromFunction: <D>(fn: (context: InputContext) => D, inputOptions: unknown): D => (
        seen.push(inputOptions),
        fn(shard)
      ),
    };
    expect(makeDistributedDataset(strategy, [1], { inputOptions: 'a' })).toEqual([1]);
    expect(makeDistributedDataset(strategy, (context: InputContext) => [context.inputPipelineId], { inputOptions: 'b' })).toEqual([2]);
    expect(seen).toEqual(['a', 'b']);
  });

  it('refuses what is neither', () => {
    expect(() => makeDistributedDataset(null, 5 as unknown as number[])).toThrow(UsageError);
  });
});
