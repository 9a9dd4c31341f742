import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { EpochHelper } from './epoch-helper.js';
import { createGlobalStep } from './global-step.js';

describe('EpochHelper', () => {
  it('begins an epoch once and ends it when its steps are done', () => {
    const step = createGlobalStep();
    const helper = new EpochHelper(4, step);
    expect(helper.currentEpoch).toBeNull();
    expect(helper.epochBegin()).toBe(true);
    expect(helper.epochBegin()).toBe(false);
    step.assign(3);
    expect(helper.epochEnd()).toBe(false);
    expect(helper.batchIndex).toBe(3);
    step.assign(4);
    expect(helper.epochEnd()).toBe(true);
    expect(helper.currentEpoch).toBe(0);
    expect(helper.epochBegin()).toBe(true);
    expect(helper.currentEpoch).toBe(1);
    expect(helper.batchIndex).toBe(0);
  });

  it('counts the batches of an epoch from where it was begun', () => {
    const step = createGlobalStep();
    step.assign(6);
    const helper = new EpochHelper(4, step);
    helper.epochBegin();
    step.assign(7);
    expect([helper.currentEpoch, helper.batchIndex, helper.epochEnd()]).toEqual([1, 1, false]);
  });

  it('refuses to end outside an epoch, to count before the first, and to have no steps', () => {
    const helper = new EpochHelper(4, createGlobalStep());
    expect(() => helper.epochEnd()).toThrow(UsageError);
    expect(() => helper.batchIndex).toThrow(UsageError);
    expect(() => new EpochHelper(0, createGlobalStep())).toThrow(UsageError);
  });
});
