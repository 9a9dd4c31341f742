import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { AbstractEvaluator, AbstractTrainer } from './abstract.js';
import { Controller } from './controller.js';
import type { ControllerOptions } from './controller-options.js';
import { createGlobalStep } from './global-step.js';
import type { ControllerReporter } from './reporter.js';
import { recordScalar } from './summary-scope.js';
import { MemoryCheckpointManager, MemorySummaries } from './testing.js';
import type { Action, GlobalStep, Output } from './types.js';

const silent: ControllerReporter = {};

function counting(step: GlobalStep, output: () => Output | null = () => null): { train(n: number): Promise<Output | null> } {
  return {
    train: async (n) => {
      step.assignAdd(n);
      return output();
    },
  };
}

function optionsFor(step: GlobalStep, more: Partial<ControllerOptions> = {}): ControllerOptions {
  return { globalStep: step, trainer: counting(step), stepsPerLoop: 2, reporter: silent, ...more };
}

describe('construction', () => {
  it('checks the options in the order of the original', () => {
    const step = createGlobalStep();
    const wrong = { globalStep: 3 as unknown as GlobalStep, reporter: silent };
    const trainer = counting(step);
    expect(() => new Controller(wrong)).toThrow(/trainer.*evaluator/);
    expect(() => new Controller({ ...wrong, trainer })).toThrow(/stepsPerLoop/);
    expect(() => new Controller({ ...wrong, trainer, stepsPerLoop: 2, summaryInterval: 3 })).toThrow(/multiple/);
    expect(() => new Controller({ ...wrong, trainer, stepsPerLoop: 2 })).toThrow(/globalStep/);
  });

  it('treats null like a missing option', () => {
    const options = optionsFor(createGlobalStep(), { evaluator: null, checkpointManager: null, summaryInterval: null, trainActions: null });
    expect(new Controller(options).stepsPerLoop).toBe(2);
  });

  it('rejects an option that does not exist and lists those that do', () => {
    const options = { ...optionsFor(createGlobalStep()), stepPerLoop: 3 };
    expect(() => new Controller(options)).toThrow(/no option `stepPerLoop`\. Did you mean "stepsPerLoop"\?/);
  });

  it('rejects an action that cannot be called', () => {
    const trainActions = [() => {}, {} as Action];
    expect(() => new Controller(optionsFor(createGlobalStep(), { trainActions }))).toThrow(/trainActions\[1\]/);
  });

  it('asks for a writer when a summary directory is given and nothing can write', () => {
    expect(() => new Controller(optionsFor(createGlobalStep(), { summaryDir: 'logs' }))).toThrow(/orbit-ts\/summary/);
  });

  it('keeps the actions it was given, whatever becomes of the list', async () => {
    const step = createGlobalStep();
    const seen: string[] = [];
    const trainActions: Action[] = [() => seen.push('first')];
    const controller = new Controller(optionsFor(step, { trainActions }));
    trainActions.push(() => seen.push('late'));
    await controller.train(2);
    expect(seen).toEqual(['first']);
  });

  it('makes an object of the class that create is called on', async () => {
    class Mine extends Controller {}
    expect(await Mine.create(optionsFor(createGlobalStep()))).toBeInstanceOf(Mine);
  });

  it('uses one summary manager where training and evaluation share a directory, whatever else is given', () => {
    const step = createGlobalStep();
    const evaluator = { evaluate: () => null };
    const given = { flush() {}, writeSummaries() {}, summaryWriter: () => new MemorySummaries().factory('x') };
    const shared = new Controller(optionsFor(step, { evaluator, evalSummaryManager: given }));
    expect(shared.evalSummaryManager).toBe(shared.summaryManager);
    const apart = new Controller(optionsFor(step, { evaluator, evalSummaryDir: 'eval', evalSummaryManager: given }));
    expect(apart.evalSummaryManager).toBe(given);
  });
});

describe('restoring', () => {
  it('happens in create, once', async () => {
    const step = createGlobalStep();
    const events: unknown[][] = [];
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 5, existing: [7], onEvent: (event) => events.push(event) });
    const controller = await Controller.create(optionsFor(step, { checkpointManager: manager }));
    expect(step.value).toBe(7);
    await controller.train(7);
    expect(events.filter(([what]) => what === 'restore')).toHaveLength(1);
  });

  it('happens at the first use of a controller made with new, so that no checkpoint is overwritten by a fresh start', async () => {
    const step = createGlobalStep();
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 5, existing: [7] });
    const controller = new Controller(optionsFor(step, { checkpointManager: manager }));
    expect(step.value).toBe(0);
    await controller.train(9);
    expect(manager.checkpoints).toEqual(['ckpt/ckpt-7', 'ckpt/ckpt-9']);
  });

  it('does not replace what was restored by hand', async () => {
    const step = createGlobalStep();
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 5, existing: [3, 7] });
    const controller = new Controller(optionsFor(step, { checkpointManager: manager }));
    expect(await controller.restoreCheckpoint('ckpt/ckpt-3')).toBe('ckpt/ckpt-3');
    await controller.train(3);
    expect(step.value).toBe(3);
  });

  it('runs inside the scope of the strategy', async () => {
    const step = createGlobalStep();
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 5, existing: [7] });
    let inside = 0;
    const strategy = { scope: <T>(body: () => T): T => (inside++, body()) };
    await Controller.create(optionsFor(step, { checkpointManager: manager, strategy }));
    expect(inside).toBe(1);
  });
});

describe('saving in the background', () => {
  it('is reported as saving, and as saved once the checkpoint is complete', async () => {
    const step = createGlobalStep();
    const told: string[] = [];
    const reporter: ControllerReporter = {
      checkpointSaving: ({ path }) => told.push(`saving ${path}`),
      checkpointSaved: ({ path, step: at }) => told.push(`saved ${path} of step ${at}`),
      checkpointSync: () => told.push('sync'),
    };
    const checkpointManager = new MemoryCheckpointManager(step, { checkpointInterval: 2, commitOnSync: true });
    const controller = await Controller.create(optionsFor(step, { checkpointManager, reporter, enableAsyncCheckpointing: true }));
    await controller.train(2);
    expect(told).toEqual(['saving ckpt/ckpt-2', 'sync', 'saved ckpt/ckpt-2 of step 2']);
  });

  it('is not reported as saved if writing failed', async () => {
    const step = createGlobalStep();
    const told: string[] = [];
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 2, commitOnSync: true });
    manager.sync = () => Promise.reject(new Error('disk full'));
    const reporter: ControllerReporter = { checkpointSaved: ({ path }) => told.push(path) };
    const options = optionsFor(step, { checkpointManager: manager, reporter, enableAsyncCheckpointing: true });
    const controller = await Controller.create(options);
    await expect(controller.train(2)).rejects.toThrow('disk full');
    expect(told).toEqual([]);
  });
});

describe('classes that extend AbstractTrainer and AbstractEvaluator', () => {
  it('are all that a controller needs', async () => {
    const step = createGlobalStep();
    class Trainer extends AbstractTrainer {
      override train(numSteps: number): Output {
        step.assignAdd(numSteps);
        return { loss: 1 / step.value };
      }
    }
    class Evaluator extends AbstractEvaluator {
      override evaluate(numSteps: number): Output {
        return { steps_asked: numSteps, at: step.value };
      }
    }
    const controller = new Controller(optionsFor(step, { trainer: new Trainer(), evaluator: new Evaluator() }));
    expect(await controller.trainAndEvaluate({ trainSteps: 5, evalInterval: 3 })).toEqual({ steps_asked: -1, at: 5 });
  });
});

describe('arguments', () => {
  it.each([NaN, -1, 2.5, Infinity])('train refuses the target %s', async (target) => {
    await expect(new Controller(optionsFor(createGlobalStep())).train(target)).rejects.toThrow(UsageError);
  });

  it('trainAndEvaluate refuses a negative interval', async () => {
    const controller = new Controller(optionsFor(createGlobalStep(), { evaluator: { evaluate: () => null } }));
    await expect(controller.trainAndEvaluate({ trainSteps: 4, evalInterval: -2 })).rejects.toThrow(/evalInterval/);
  });

  it('a loop length from a function must be positive', async () => {
    const controller = new Controller(optionsFor(createGlobalStep(), { stepsPerLoop: () => 0 }));
    await expect(controller.train(2)).rejects.toThrow(/stepsPerLoop/);
  });

  it('an inner loop must count its steps: one that counts none would never end', async () => {
    const trainer = { train: () => ({}) };
    await expect(new Controller(optionsFor(createGlobalStep(), { trainer })).train(2)).rejects.toThrow(/globalStep\.assignAdd\(1\)/);
  });

  it('an inner loop must return a dictionary or nothing', async () => {
    const step = createGlobalStep();
    const trainer = { train: (n: number) => (step.assignAdd(n), 3 as unknown as Output) };
    await expect(new Controller(optionsFor(step, { trainer })).train(2)).rejects.toThrow(/trainer\.train.*number 3/);
  });

  it('watching needs a manager that can watch, or a function that does', async () => {
    const step = createGlobalStep();
    const manager = new MemoryCheckpointManager(step, { checkpointInterval: 1, existing: [4] });
    Object.defineProperty(manager, 'checkpointsIterator', { value: undefined });
    const evaluator = { evaluate: () => ({ at: step.value }) };
    const options: ControllerOptions = { globalStep: step, evaluator, checkpointManager: manager, reporter: silent };
    await expect(new Controller(options).evaluateContinuously()).rejects.toThrow(/checkpointsIterator/);
    const seen: unknown[] = [];
    const checkpointsIterator: ControllerOptions['checkpointsIterator'] = async function* (directory, watch) {
      seen.push(directory, watch.timeoutSeconds);
      yield 'ckpt/ckpt-4';
    };
    const watching = new Controller({ ...options, checkpointsIterator });
    expect(await watching.evaluateContinuously({ timeout: 3 })).toEqual({ at: 4 });
    expect(seen).toEqual(['ckpt', 3]);
  });
});

describe('outputs', () => {
  it('reach actions raw, and the reporter, the caller and the summaries as plain values', async () => {
    const step = createGlobalStep();
    const tensor = { shape: [], dataSync: () => new Float32Array([0.5]) };
    const summaries = new MemorySummaries();
    const seen: unknown[] = [];
    const evaluator = { evaluate: () => ({ loss: tensor }) };
    const evalActions: Action[] = [{ run: (output) => seen.push(output.loss) }];
    const options = { globalStep: step, evaluator, evalActions, reporter: silent };
    const controller = new Controller({ ...options, evalSummaryDir: 'eval', summaryWriterFactory: summaries.factory });
    expect(await controller.evaluate()).toEqual({ loss: 0.5 });
    expect(seen).toEqual([tensor]);
    expect(summaries.files.get('eval')).toEqual([['loss', 0, 0.5]]);
  });

  it('may be NaN', async () => {
    const step = createGlobalStep();
    const summaries = new MemorySummaries();
    const trainer = counting(step, () => ({ loss: NaN }));
    await new Controller(optionsFor(step, { trainer, summaryDir: 'train', summaryWriterFactory: summaries.factory })).train(2);
    expect(summaries.files.get('train')![0]).toEqual(['loss', 2, NaN]);
  });

  it('waits for asynchronous actions before the next one', async () => {
    const step = createGlobalStep();
    const order: string[] = [];
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('slow');
    };
    await new Controller(optionsFor(step, { trainActions: [slow, () => order.push('fast')] })).train(2);
    expect(order).toEqual(['slow', 'fast']);
  });

  it('keep the summaries of two runs in one process apart', async () => {
    const summaries = new MemorySummaries();
    const run = (directory: string): Promise<void> => {
      const step = createGlobalStep();
      const trainer = {
        train: async (n: number) => {
          await new Promise((resolve) => setImmediate(resolve));
          recordScalar(`from ${directory}`, 1);
          step.assignAdd(n);
        },
      };
      const options = { trainer, summaryInterval: 2, summaryDir: directory, summaryWriterFactory: summaries.factory };
      return new Controller(optionsFor(step, options)).train(2);
    };
    await Promise.all([run('a'), run('b')]);
    expect(summaries.files.get('a')!.map(([tag]) => tag)).toEqual(['from a', 'steps_per_second']);
    expect(summaries.files.get('b')!.map(([tag]) => tag)).toEqual(['from b', 'steps_per_second']);
  });

  it('close the summary files that the controller opened', async () => {
    const summaries = new MemorySummaries();
    const controller = new Controller(optionsFor(createGlobalStep(), { summaryDir: 'train', summaryWriterFactory: summaries.factory }));
    await controller.train(2);
    await controller.close();
    expect(summaries.closed).toEqual(['train']);
  });
});
