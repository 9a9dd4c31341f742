import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { setBreathingClock } from './breathe.js';
import { Controller } from './controller.js';
import { createGlobalStep } from './global-step.js';
import { StandardTrainer } from './standard-trainer.js';

afterEach(() => setBreathingClock());

/** Steps that are over at once but take a millisecond of a clock of our own. */
class Quick extends StandardTrainer<() => Iterable<number>> {
  made = 0;
  readonly #tick: () => void;
  constructor(tick: () => void) {
    super(function* () {
      while (true) yield 0;
    });
    this.#tick = tick;
  }
  override trainStep(): void {
    this.made += 1;
    this.#tick();
  }
}

function quick(onStep: (made: number) => void = () => {}): Quick {
  let now = 0;
  setBreathingClock(() => now);
  const trainer: Quick = new Quick(() => {
    now += 1;
    onStep(trainer.made);
  });
  return trainer;
}

describe('a loop of short steps', () => {
  it('takes a turn of the event loop at the first step boundary after 5 ms, so that others get their turn', async () => {
    const turns: number[] = [];
    const trainer = quick();
    const watch = (): void => {
      turns.push(trainer.made);
      if (trainer.made < 100) setImmediate(watch);
    };
    setImmediate(watch);
    await trainer.train(100);
    expect(turns.slice(0, 4)).toEqual([5, 10, 15, 20]);
    expect(turns.length).toBeGreaterThanOrEqual(20);
  });

  it('sees a signal of the operating system within a few steps', async () => {
    let seenAt = Infinity;
    const sentAt = 50;
    const trainer = quick((made) => {
      if (made === sentAt) process.kill(process.pid, 'SIGUSR2');
    });
    process.once('SIGUSR2', () => (seenAt = trainer.made));
    await trainer.train(2000);
    expect(seenAt).toBeGreaterThanOrEqual(sentAt);
    expect(seenAt).toBeLessThan(2000);
  });

  it('sees the message of a worker before it ends', async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       parentPort.postMessage('ready');
       Atomics.wait(workerData, 0, 0);
       parentPort.postMessage('hello');
       Atomics.store(workerData, 0, 2);
       Atomics.notify(workerData, 0);`,
      { eval: true, workerData: flag },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const trainer = quick((made) => {
      if (made !== 10) return;
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
      Atomics.wait(flag, 0, 1); // the message is on its way before the next step
    });
    let seenAt = Infinity;
    worker.once('message', () => (seenAt = trainer.made));
    await trainer.train(100);
    await worker.terminate();
    expect(seenAt).toBeLessThanOrEqual(30);
  });

  it('does not starve the process either when the steps belong to a trainer of another kind', async () => {
    let now = 0;
    setBreathingClock(() => now);
    const step = createGlobalStep();
    let seenAt = Infinity;
    setImmediate(() => (seenAt = step.value));
    const trainer = {
      train: async (n: number) => {
        now += n;
        step.assignAdd(n);
      },
    };
    await new Controller({ globalStep: step, trainer, stepsPerLoop: 1, reporter: {} }).train(100);
    expect(seenAt).toBeLessThanOrEqual(10);
  });
});
