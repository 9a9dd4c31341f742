import { describe, expect, it } from 'vitest';
import { createGlobalStep } from './global-step.js';
import { StepTimer } from './step-timer.js';

describe('StepTimer', () => {
  function timed(): { step: ReturnType<typeof createGlobalStep>; wait: (seconds: number) => void; timer: StepTimer } {
    let now = 100;
    const step = createGlobalStep();
    step.assign(50);
    return { step, wait: (seconds) => (now += seconds), timer: new StepTimer(step, () => now) };
  }

  it('divides the steps since the start by the seconds, then starts again', () => {
    const { step, wait, timer } = timed();
    step.assignAdd(10);
    wait(4);
    expect(timer.stepsPerSecond()).toBe(2.5);
    step.assignAdd(3);
    wait(1);
    expect(timer.stepsPerSecond()).toBe(3);
  });

  it('goes on measuring when told not to restart', () => {
    const { step, wait, timer } = timed();
    step.assignAdd(10);
    wait(2);
    expect(timer.stepsPerSecond(false)).toBe(5);
    wait(3);
    expect(timer.stepsPerSecond()).toBe(2);
  });

  it('is negative when the step went back, and finite when no time passed', () => {
    const { step, wait, timer } = timed();
    step.assign(40);
    wait(2);
    expect(timer.stepsPerSecond()).toBe(-5);
    expect(timer.stepsPerSecond()).toBe(0);
  });
});
