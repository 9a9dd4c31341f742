import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { createGlobalStep } from './global-step.js';
import { SummaryManager } from './summary-manager.js';
import {
  recordHistogram,
  recordScalar,
  setDefaultSummaryStep,
  silentSummaryWriter,
  summariesDue,
  withoutSummaries,
  withSummaryScope,
} from './summary-scope.js';
import { setDefaultSummaryWriterFactory } from './summary-writer.js';
import { MemorySummaries } from './testing.js';

afterEach(() => {
  setDefaultSummaryStep(null);
  setDefaultSummaryWriterFactory(null);
});

describe('SummaryManager', () => {
  it('writes nested dictionaries into nested directories at the current step', async () => {
    const { factory, files } = new MemorySummaries();
    const step = createGlobalStep();
    const manager = new SummaryManager('logs', { writerFactory: factory, globalStep: step });
    step.assign(3);
    await manager.writeSummaries({ a: { loss: 1, acc: 2 }, b: { c: { loss: 3 } }, x: 4 });
    expect(Object.fromEntries(files)).toEqual({
      [join('logs', 'a')]: [
        ['loss', 3, 1],
        ['acc', 3, 2],
      ],
      [join('logs', 'b', 'c')]: [['loss', 3, 3]],
      logs: [['x', 3, 4]],
    });
  });

  it('makes each writer once, when first asked for', () => {
    const { factory, files } = new MemorySummaries();
    const manager = new SummaryManager('logs', { writerFactory: factory, globalStep: createGlobalStep() });
    expect(files.size).toBe(0);
    expect(manager.summaryWriter('eval')).toBe(manager.summaryWriter('eval'));
    expect([...files.keys()]).toEqual([join('logs', 'eval')]);
  });

  it('flushes and closes every writer it made', async () => {
    const summaries = new MemorySummaries();
    const manager = new SummaryManager('logs', { writerFactory: summaries.factory, globalStep: createGlobalStep() });
    await manager.writeSummaries({ x: 1, a: { y: 2 } });
    await manager.flush();
    expect(summaries.flushes).toBe(2);
    await manager.close();
    expect(summaries.closed.sort()).toEqual(['logs', join('logs', 'a')]);
  });

  it('does nothing without a directory', async () => {
    const manager = new SummaryManager(null);
    expect(manager.summaryWriter('x')).toBe(silentSummaryWriter);
    await manager.writeSummaries({ x: 'no number' });
    await manager.flush();
    await manager.close();
  });

  it('names an entry that is not a number', async () => {
    const { factory } = new MemorySummaries();
    const manager = new SummaryManager('logs', { writerFactory: factory, globalStep: createGlobalStep() });
    await expect(manager.writeSummaries({ image: [1, 2] })).rejects.toThrow(/`image`/);
  });

  it('writes entries with a function of its own', async () => {
    const { factory, files } = new MemorySummaries();
    const manager = new SummaryManager('logs', {
      writerFactory: factory,
      globalStep: createGlobalStep(),
      summaryFn: (writer, name, value, step) => writer.scalar(`my ${name}`, (value as number[]).length, step),
    });
    await manager.writeSummaries({ list: [5, 6] });
    expect(files.get('logs')).toEqual([['my list', 0, 2]]);
  });

  it('takes counter and writers of the process where none are given, and says so if there are none', () => {
    expect(() => new SummaryManager('logs', { globalStep: createGlobalStep() })).toThrow(/orbit-ts\/summary/);
    const { factory, files } = new MemorySummaries();
    setDefaultSummaryWriterFactory(factory);
    expect(() => new SummaryManager('logs')).toThrow(UsageError);
    setDefaultSummaryStep(createGlobalStep());
    new SummaryManager('logs').summaryWriter();
    expect(files.size).toBe(1);
  });
});

describe('recording inside a loop', () => {
  it('goes to the writer of the scope, also after an await, at its step or at the step given', async () => {
    const { factory, files } = new MemorySummaries();
    const scope = { writer: factory('logs'), shouldRecord: () => true, step: { value: 5 } };
    await withSummaryScope(scope, async () => {
      recordScalar('a', 1);
      await Promise.resolve();
      recordScalar('b', 2, 8);
      recordHistogram('h', [1, 2]);
    });
    recordScalar('outside', 3);
    expect(files.get('logs')).toEqual([
      ['a', 5, 1],
      ['b', 8, 2],
    ]);
  });

  it('is dropped where it is not due or switched off', () => {
    const { factory, files } = new MemorySummaries();
    let due = false;
    withSummaryScope({ writer: factory('logs'), shouldRecord: () => due, step: { value: 5 } }, () => {
      recordScalar('early', 1);
      due = true;
      expect(summariesDue()).toBe(true);
      withoutSummaries(() => recordScalar('off', 2));
      recordScalar('due', 3);
    });
    expect(summariesDue()).toBe(false);
    expect(files.get('logs')).toEqual([['due', 5, 3]]);
  });
});
