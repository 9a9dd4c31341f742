import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../../errors.js';
import { createGlobalStep } from '../global-step.js';
import { MemoryCheckpointManager } from '../testing.js';
import {
  ConditionalAction,
  ExportFileManager,
  ExportSavedModel,
  JSONPersistedValue,
  NewBestMetric,
  processSignals,
  SaveCheckpointIfPreempted,
} from './index.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orbit-actions-'));
});

afterEach(() => rm(directory, { recursive: true }));

describe('ConditionalAction', () => {
  it('calls its actions in order with the output, if the condition holds', async () => {
    const calls: unknown[] = [];
    const action = new ConditionalAction(
      ({ loss }) => (loss as number) < 1,
      [async (output) => calls.push(['first', output.loss]), { run: (output) => calls.push(['second', output.loss]) }],
    );
    await action.run({ loss: 2 });
    await action.run({ loss: 0.5 });
    expect(calls).toEqual([
      ['first', 0.5],
      ['second', 0.5],
    ]);
  });

  it('takes one action, and a new best as the condition', async () => {
    const seen: unknown[] = [];
    const action = new ConditionalAction(new NewBestMetric('acc'), (output) => seen.push(output.acc));
    for (const acc of [0.5, 0.4, NaN, 0.6]) await action.run({ acc });
    expect(seen).toEqual([0.5, 0.6]);
  });

  it('refuses to be without actions', () => {
    expect(() => new ConditionalAction(() => true, [])).toThrow(UsageError);
    expect(() => new ConditionalAction(() => true, 5 as never)).toThrow(UsageError);
  });
});

describe('JSONPersistedValue', () => {
  it('keeps its value for the next process', async () => {
    const filename = join(directory, 'deep', 'value.json');
    const value = await JSONPersistedValue.create({ best: 1 }, filename);
    expect(await readFile(filename, 'utf8')).toBe('{"best":1}');
    await value.write({ best: 2 });
    expect(await (await JSONPersistedValue.create({ best: 0 }, filename)).read()).toEqual({ best: 2 });
    expect(await readdir(join(directory, 'deep'))).toEqual(['value.json']);
  });

  it.each(['', 'null'])('uses the initial value if the file holds "%s"', async (text) => {
    const filename = join(directory, 'value.json');
    await writeFile(filename, text);
    expect(await (await JSONPersistedValue.create(7, filename)).read()).toBe(7);
    expect(await readFile(filename, 'utf8')).toBe('7');
  });

  it('reads but never writes with writeValue false', async () => {
    const filename = join(directory, 'sub', 'value.json');
    const value = await JSONPersistedValue.create(7, filename, { writeValue: false });
    await value.write(8);
    expect(value.value).toBe(8);
    expect(await readdir(directory)).toEqual([]);
  });

  it('lives in memory without a file', async () => {
    const value = new JSONPersistedValue(1);
    await value.write(2);
    expect(value.value).toBe(2);
  });

  it('says so when the file is not JSON, or was not read yet', async () => {
    const filename = join(directory, 'value.json');
    await writeFile(filename, '{"a":');
    await expect(JSONPersistedValue.create(1, filename)).rejects.toThrow(DataError);
    expect(() => new JSONPersistedValue(1, filename).value).toThrow(/load/);
  });
});

describe('NewBestMetric', () => {
  it('is better only if strictly so, and never with NaN', async () => {
    const best = new NewBestMetric('m');
    expect(best.bestValue).toBe(-Number.MAX_VALUE);
    expect([await best.test({ m: NaN }), await best.test({ m: 1 })]).toEqual([false, true]);
    expect(best.bestValue).toBe(-Number.MAX_VALUE);
    expect([await best.commit({ m: 1 }), await best.commit({ m: 1 }), await best.commit({ m: 2 })]).toEqual([true, false, true]);
    expect(best.bestValue).toBe(2);
  });

  it('keeps the maximum or minimum of any sequence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ noDefaultInfinity: true }), { minLength: 1 }), fc.boolean(), async (values, higherIsBetter) => {
        const best = new NewBestMetric('m', { higherIsBetter });
        for (const m of values) await best.run({ m });
        const numbers = values.filter((value) => !Number.isNaN(value));
        const start = higherIsBetter ? -Number.MAX_VALUE : Number.MAX_VALUE;
        expect(best.bestValue).toEqual(numbers.reduce((a, b) => (higherIsBetter ? (b > a ? b : a) : b < a ? b : a), start));
      }),
      { numRuns: 50 },
    );
  });

  it('goes on from its file, infinities included', async () => {
    const filename = join(directory, 'best.json');
    const first = await NewBestMetric.create('m', { filename });
    expect(JSON.parse(await readFile(filename, 'utf8'))).toBe(-Number.MAX_VALUE);
    await first.commit({ m: 3 });
    const second = await NewBestMetric.create((output) => output.m, { filename });
    expect(second.bestValue).toBe(3);
    await second.commit({ m: Infinity });
    expect((await NewBestMetric.create('m', { filename })).bestValue).toBe(Infinity);
  });

  it('can be used at once, and reads its file then', async () => {
    const filename = join(directory, 'best.json');
    await writeFile(filename, '5');
    const best = new NewBestMetric('m', { filename, writeMetric: false });
    expect(() => best.bestValue).toThrow(UsageError);
    expect(await best.commit({ m: 4 })).toBe(false);
    expect(await best.commit({ m: 6 })).toBe(true);
    expect(await readFile(filename, 'utf8')).toBe('5');
  });

  it('takes tensors and functions of the output, and names a missing key', async () => {
    const tensor = { shape: [], dataSync: () => [0.5] };
    expect(await new NewBestMetric('m').metricValue({ m: tensor })).toBe(0.5);
    expect(await new NewBestMetric(({ a, b }) => (a as number) - (b as number)).metricValue({ a: 3, b: 1 })).toBe(2);
    await expect(new NewBestMetric('acc').test({ loss: 1 })).rejects.toThrow(/`acc`.*loss/);
  });
});

describe('ExportFileManager', () => {
  async function make(...names: string[]): Promise<void> {
    for (const name of names) await mkdir(join(directory, name), { recursive: true });
  }

  it('lists numbered exports by number and leaves others alone', async () => {
    await make('model-2', 'model-10', 'model-1', 'model-3-old', 'model-', 'other-4', 'model-x');
    const manager = new ExportFileManager(join(directory, 'model'));
    expect(await manager.managedFiles()).toEqual(['model-1', 'model-2', 'model-10'].map((name) => join(directory, name)));
  });

  it('counts on from the largest number, without creating anything', async () => {
    await make('model-7', 'model-2');
    const manager = new ExportFileManager(`${directory}//model`);
    expect(await manager.nextName()).toBe(join(directory, 'model-8'));
    expect(await manager.nextName()).toBe(join(directory, 'model-9'));
    expect(await new ExportFileManager(join(directory, 'new')).nextName()).toBe(join(directory, 'new-0'));
    expect((await readdir(directory)).sort()).toEqual(['model-2', 'model-7']);
  });

  it('takes numbers from a function', async () => {
    const step = createGlobalStep();
    step.assign(300);
    const manager = new ExportFileManager(join(directory, 'model'), { nextIdFn: () => step.value });
    expect(await manager.nextName()).toBe(join(directory, 'model-300'));
  });

  it.each([
    [2, ['model-2', 'model-10']],
    [5, ['model-1', 'model-2', 'model-10']],
    [0, ['model-1', 'model-2', 'model-10']],
    [-1, ['model-1', 'model-2', 'model-10']],
  ])('keeps the newest with maxToKeep %i', async (maxToKeep, left) => {
    await make('model-1', 'model-2', 'model-10');
    const manager = new ExportFileManager(join(directory, 'model'), { maxToKeep });
    await manager.cleanUp();
    expect(await manager.managedFiles()).toEqual(left.map((name) => join(directory, name)));
  });

  it('manages a subdirectory of each numbered one', async () => {
    await make('model-1/saved', 'model-2/saved', 'model-3');
    const manager = new ExportFileManager(join(directory, 'model'), { subdirectory: 'saved', maxToKeep: 1 });
    expect(await manager.managedFiles()).toEqual([join(directory, 'model-1/saved'), join(directory, 'model-2/saved')]);
    expect(await manager.nextName()).toBe(join(directory, 'model-3/saved'));
    await manager.cleanUp();
    expect(await readdir(join(directory, 'model-1'))).toEqual([]);
  });

  it('refuses paths that are not of this machine', () => {
    expect(() => new ExportFileManager('gs://bucket/model')).toThrow(UsageError);
  });
});

describe('ExportSavedModel', () => {
  it('exports to the next name and removes old exports', async () => {
    const options: unknown[] = [];
    const model = {
      async export(path: string, given: unknown): Promise<void> {
        options.push(given);
        await mkdir(path);
      },
    };
    const fileManager = new ExportFileManager(join(directory, 'model'), { maxToKeep: 1 });
    const action = new ExportSavedModel(model, fileManager, { signatures: ['serve'] });
    await action.run();
    await action.run();
    expect(await readdir(directory)).toEqual(['model-1']);
    expect(options[0]).toEqual({ signatures: ['serve'] });
    expect(() => new ExportSavedModel({} as typeof model, fileManager)).toThrow(UsageError);
  });
});

describe('SaveCheckpointIfPreempted', () => {
  function scene(): {
    step: ReturnType<typeof createGlobalStep>;
    events: unknown[][];
    checkpointManager: MemoryCheckpointManager;
    signalSource: { received: string | null; started: boolean; start(): void; stop(): void };
  } {
    const step = createGlobalStep();
    const events: unknown[][] = [];
    const onEvent = (event: unknown[]): number => events.push(event);
    const checkpointManager = new MemoryCheckpointManager(step, { checkpointInterval: 100, existing: [4], onEvent });
    const signalSource = {
      received: null as string | null,
      started: false,
      start() {
        this.started = true;
      },
      stop() {
        this.started = false;
      },
    };
    return { step, events, checkpointManager, signalSource };
  }

  it('listens, restores, and after a signal saves whatever the interval and ends the process', async () => {
    const { step, events, checkpointManager, signalSource } = scene();
    const exits: string[] = [];
    const exit = (signal: string): number => exits.push(signal);
    const action = await SaveCheckpointIfPreempted.create({ checkpointManager, signalSource, checkpointNumber: step, exit });
    expect([signalSource.started, step.value]).toEqual([true, 4]);
    step.assign(9);
    await action.run();
    expect(events).toEqual([['restore', 'ckpt-4']]);
    signalSource.received = 'SIGTERM';
    await action.run();
    expect(events.slice(1)).toEqual([['sync'], ['save', 'ckpt-9']]);
    expect(exits).toEqual(['SIGTERM']);
    action.stop();
    expect(signalSource.started).toBe(false);
  });

  it('saves once and goes on if told to keep running', async () => {
    const { step, events, checkpointManager, signalSource } = scene();
    const exit = (): never => {
      throw new Error('must not be called');
    };
    const action = new SaveCheckpointIfPreempted({ checkpointManager, signalSource, keepRunningAfterSave: true, exit });
    signalSource.received = 'SIGINT';
    step.assign(9);
    await action.run();
    step.assign(10);
    await action.run();
    expect(events).toEqual([['sync'], ['save', 'ckpt-9']]);
  });

  it('hears real signals while it listens', async () => {
    const source = processSignals(['SIGUSR2']);
    source.start();
    process.kill(process.pid, 'SIGUSR2');
    while (source.received === null) await new Promise((resolve) => setImmediate(resolve));
    expect(source.received).toBe('SIGUSR2');
    source.stop();
    expect(process.listenerCount('SIGUSR2')).toBe(0);
  });
});
