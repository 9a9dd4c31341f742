import { describe, expect, it } from 'vitest';
import { Controller, createGlobalStep, LoopClock, StandardTrainer } from './index.js';
import { UsageError } from '../errors.js';

/** Trains and evaluates with loops of 4 steps and evaluations every 8; `stopAt` makes the step before it throw. */
async function run(clock: LoopClock | null, from: number, to: number, stopAt = Infinity): Promise<string[]> {
  const events: string[] = [];
  const globalStep = createGlobalStep();
  globalStep.assign(from);
  class Counting extends StandardTrainer {
    trainStep(): void {
      if (globalStep.value === stopAt) throw new Error('stopped');
      globalStep.assignAdd(1);
    }
    override trainLoopEnd() {
      events.push(`loop ends at ${globalStep.value}`);
      return {};
    }
  }
  const evaluator = {
    evaluate: async () => {
      if (stopAt < 0 && globalStep.value === -stopAt) throw new Error('stopped');
      events.push(`evaluation at ${globalStep.value}`);
      return {};
    },
  };
  const controller = new Controller({
    globalStep, trainer: new Counting([1, 2, 3].concat(Array(100).fill(4))), evaluator, stepsPerLoop: 4, loopClock: clock, reporter: {},
  }); // prettier-ignore
  await controller.trainAndEvaluate({ trainSteps: to, evalInterval: 8 }).catch((error: Error) => events.push(error.message));
  return events;
}

const whole = ['loop ends at 4', 'loop ends at 8', 'evaluation at 8', 'loop ends at 12', 'loop ends at 16', 'evaluation at 16'];

describe('a run with a loop clock', () => {
  it.each([1, 4, 6, 8, 11, 15])(
    'that stopped at step %i ends its loops and evaluates at the same steps as one that did not',
    async (stop) => {
      const clock = new LoopClock();
      const before = await run(clock, 0, 16, stop);
      const resumed = new LoopClock();
      resumed.loadStateDict(JSON.parse(JSON.stringify(clock.stateDict())));
      const after = await run(resumed, stop, 16);
      expect([...before.filter((e) => e !== 'stopped'), ...after]).toEqual(whole);
    },
  );

  it.each([8, 16])('that stopped during the evaluation at step %i makes up for it', async (step) => {
    const clock = new LoopClock();
    const before = await run(clock, 0, 16, -step);
    expect(before.at(-1)).toBe('stopped');
    expect([...before.slice(0, -1), ...(await run(clock, step, 16))]).toEqual(whole);
  });

  it('does nothing more when it is finished, and goes on to a later target', async () => {
    const clock = new LoopClock();
    await run(clock, 0, 16);
    expect(await run(clock, 16, 16)).toEqual([]);
    expect(await run(clock, 16, 20)).toEqual(['loop ends at 20', 'evaluation at 20']);
  });

  it('starts its loops where it is without one, as the original does', async () => {
    expect((await run(null, 6, 16)).slice(0, 3)).toEqual(['loop ends at 10', 'loop ends at 14', 'evaluation at 14']);
  });

  it('never ends beyond its target, and refuses a state that is none', () => {
    const clock = new LoopClock();
    clock.loadStateDict({ loop_end: 100, evaluation_at: null });
    expect([clock.nextLoopEnd(30, 10, 50), clock.nextEvaluation(30, 30, 50)]).toEqual([50, 50]);
    expect(() => clock.loadStateDict({ loop_end: 'soon', evaluation_at: null })).toThrow(UsageError);
  });
});
