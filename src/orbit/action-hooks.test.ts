import { describe, expect, it } from 'vitest';
import { Controller, createGlobalStep } from './index.js';
import type { ActionContext, ActionObject, ControllerOptions, ControllerReporter, LogEntry, Output, RunLogger } from './index.js';
import { MemoryCheckpointManager } from './testing.js';

/** Writes down every call with the step at that moment. */
class Diary implements ActionObject {
  constructor(
    readonly name: string,
    readonly lines: string[],
  ) {}
  #note(what: string, context: ActionContext): void {
    this.lines.push(`${this.name} ${what} @${context.globalStep.value}`);
  }
  trainBegin(context: ActionContext): void {
    this.#note('trainBegin', context);
  }
  loopBegin(numSteps: number, context: ActionContext): void {
    this.#note(`loopBegin(${numSteps})`, context);
  }
  run(output: Output, context: ActionContext): void {
    this.#note(`run(${Object.keys(output).join()})`, context);
  }
  evaluationBegin(numSteps: number, context: ActionContext): void {
    this.#note(`evaluationBegin(${numSteps})`, context);
  }
  checkpointSaved({ path }: { path: string }, context: ActionContext): void {
    this.#note(`checkpointSaved(${path})`, context);
  }
  trainEnd(error: unknown, context: ActionContext): void {
    this.#note(`trainEnd(${error === null ? '' : (error as Error).message})`, context);
  }
}

function setUp(more: Partial<ControllerOptions> = {}): { controller: Controller; options: ControllerOptions } {
  const globalStep = createGlobalStep();
  const options: ControllerOptions = {
    globalStep,
    trainer: { train: async (n) => (globalStep.assignAdd(n), { loss: 1 / globalStep.value }) },
    evaluator: { evaluate: async () => ({ accuracy: globalStep.value / 10 }) },
    stepsPerLoop: 2,
    checkpointManager: new MemoryCheckpointManager(globalStep, { checkpointInterval: 4, existing: [1] }),
    reporter: {},
    ...more,
  };
  return { controller: new Controller(options), options };
}

describe('the hooks of actions', () => {
  it('are called in the documented order, each object once, train actions before eval actions', async () => {
    const lines: string[] = [];
    const both = new Diary('a', lines);
    const { controller } = setUp({ trainActions: [both], evalActions: [both, new Diary('b', lines)] });
    await controller.trainAndEvaluate({ trainSteps: 5, evalInterval: 4, evalSteps: 3 });
    expect(lines).toEqual([
      ...['a trainBegin @1', 'b trainBegin @1'],
      ...['a loopBegin(2) @1', 'b loopBegin(2) @1', 'a run(loss) @3'],
      ...[
        'a loopBegin(2) @3',
        'b loopBegin(2) @3',
        'a run(loss) @5',
        'a checkpointSaved(ckpt/ckpt-5) @5',
        'b checkpointSaved(ckpt/ckpt-5) @5',
      ],
      ...['a evaluationBegin(3) @5', 'b evaluationBegin(3) @5', 'a run(accuracy) @5', 'b run(accuracy) @5'],
      ...['a trainEnd() @5', 'b trainEnd() @5'],
    ]);
  });

  it('may do without run', async () => {
    let begun = 0;
    const { controller } = setUp({ trainActions: [{ trainBegin: () => void begun++ }] });
    await controller.train(5);
    expect(begun).toBe(1);
  });

  it('tell of an error at the end, and an error in trainEnd does not hide it', async () => {
    const lines: string[] = [];
    const warnings: string[] = [];
    const failing: ActionObject = {
      run: () => Promise.reject(new Error('the first')),
      trainEnd: () => {
        throw new Error('the second');
      },
    };
    const reporter: ControllerReporter = { warning: (message) => warnings.push(message) };
    const { controller } = setUp({ trainActions: [failing, new Diary('a', lines)], reporter });
    await expect(controller.train(5)).rejects.toThrow('the first');
    expect(lines.at(-1)).toBe('a trainEnd(the first) @3');
    expect(warnings).toEqual([expect.stringContaining('the second')]);
  });

  it('are awaited, and an error in checkpointSaved surfaces at the next wait for checkpoints', async () => {
    const saved: ActionObject = { checkpointSaved: () => Promise.reject(new Error('upload failed')) };
    const { controller } = setUp({ trainActions: [saved] });
    await expect(controller.train(5)).rejects.toThrow('upload failed');
  });
});

describe('stop', () => {
  it('by a train action ends the loops, saves and evaluates no more', async () => {
    const told: string[] = [];
    const reporter: ControllerReporter = { stopped: ({ step, reason }) => told.push(`${reason} @${step}`) };
    const trainActions = [(_output: Output, { globalStep, stop }: ActionContext) => globalStep.value >= 5 && stop('enough')];
    const { controller, options } = setUp({ trainActions, reporter });
    expect(await controller.trainAndEvaluate({ trainSteps: 100, evalInterval: 50 })).toBeNull();
    expect([options.globalStep.value, controller.stopReason, told]).toEqual([5, 'enough', ['enough @5']]);
    expect(options.checkpointManager!.latestCheckpoint).toBe('ckpt/ckpt-5');
  });

  it('by an eval action returns that evaluation, and a later training goes on', async () => {
    const evalActions = [(output: Output, { stop }: ActionContext) => (output['accuracy'] as number) >= 0.5 && stop('good')];
    const { controller, options } = setUp({ evalActions });
    expect(await controller.trainAndEvaluate({ trainSteps: 100, evalInterval: 2 })).toMatchObject({ accuracy: 0.5 });
    await controller.train(7);
    expect([options.globalStep.value, controller.stopReason]).toEqual([7, null]);
  });

  it('outside training does nothing', async () => {
    const { controller } = setUp();
    controller.stop('too early');
    await controller.train(3);
    expect([controller.globalStep.value, controller.stopReason]).toEqual([3, null]);
  });
});

describe('loggers', () => {
  it('get what summaries get, with both speeds, and are closed, also after one that fails', async () => {
    const entries: LogEntry[] = [];
    const closed: string[] = [];
    const first: RunLogger = {
      log: (entry) => void entries.push(entry),
      close: () => {
        closed.push('first');
        throw new Error('cannot close');
      },
    };
    const second: RunLogger = { log: () => {}, close: () => void closed.push('second') };
    const { controller } = setUp({ loggers: [first, second], samplesPerStep: 8 });
    await controller.trainAndEvaluate({ trainSteps: 3, evalSteps: 2 });
    await expect(controller.close()).rejects.toThrow('cannot close');
    expect(closed).toEqual(['first', 'second']);
    expect(entries.map(({ kind, step, values }) => [kind, step, Object.keys(values)])).toEqual([
      ['train', 3, ['loss', 'steps_per_second', 'samples_per_second']],
      ['eval', 3, ['accuracy', 'steps_per_second']],
    ]);
    const [{ values }] = entries as [LogEntry];
    expect(values['samples_per_second']).toBeCloseTo(8 * (values['steps_per_second'] as number), 6);
  });

  it('that are none are refused', () => {
    expect(() => setUp({ loggers: [{} as RunLogger] })).toThrow(/loggers\[0\].*`log`/);
  });
});
