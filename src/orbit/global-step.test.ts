import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { createGlobalStep } from './global-step.js';

describe('createGlobalStep', () => {
  it('starts at 0 and counts', () => {
    const step = createGlobalStep();
    expect(step.value).toBe(0);
    step.assignAdd(3);
    step.assignAdd(2);
    expect(step.value).toBe(5);
    step.assign(1);
    expect(step.value).toBe(1);
  });

  it('can be saved and restored', () => {
    const step = createGlobalStep();
    step.assign(7);
    const other = createGlobalStep();
    other.loadStateDict(step.stateDict());
    expect(other.value).toBe(7);
  });

  it.each([NaN, -1, 0.5])('refuses to become %s', (value) => {
    expect(() => createGlobalStep().assign(value)).toThrow(UsageError);
  });
});
