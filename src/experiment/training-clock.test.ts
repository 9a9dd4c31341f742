import { expect, it } from 'vitest';
import { TrainingClock } from './training-clock.js';

/** A clock over a time that the test moves. */
function clockAt(start: number): { clock: TrainingClock; pass: (milliseconds: number) => void } {
  let time = start;
  return { clock: new TrainingClock(() => time), pass: (milliseconds) => void (time += milliseconds) };
}

it('measures nothing before the first step', () => {
  const { clock } = clockAt(100);
  clock.beginLoop();
  clock.endLoop();
  expect(clock.speed).toEqual({ steps: 0, stepsPerSecond: null, secondsToFirstStep: null });
});

it('leaves the first step and the time between loops out of the speed', () => {
  const { clock, pass } = clockAt(500);
  clock.beginLoop();
  pass(2000);
  expect(clock.stepDone()).toBe(true);
  pass(100);
  expect(clock.stepDone()).toBe(false);
  clock.endLoop();
  expect(clock.speed).toEqual({ steps: 2, stepsPerSecond: 10, secondsToFirstStep: 2.5 });

  pass(60_000); // an evaluation
  clock.beginLoop();
  pass(300);
  clock.stepDone();
  clock.endLoop();
  expect(clock.speed).toEqual({ steps: 3, stepsPerSecond: 5, secondsToFirstStep: 2.5 });
});

it('has no speed after a single step', () => {
  const { clock, pass } = clockAt(0);
  clock.beginLoop();
  pass(1000);
  clock.stepDone();
  pass(10);
  clock.endLoop();
  expect(clock.speed).toEqual({ steps: 1, stepsPerSecond: null, secondsToFirstStep: 1 });
});
