import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyOf, everyNHours, everyNSteps, sweep } from './retention.js';

const at = (hours: number): { path: string; timestampSeconds: number } => ({ path: `ckpt-${hours}`, timestampSeconds: hours * 3600 });
const none = anyOf();

describe('sweep', () => {
  it('removes the oldest beyond maxToKeep, and nothing without it', () => {
    const managed = [1, 2, 3].map(at);
    expect(sweep(managed, 2, none, 0)).toEqual({ managed: managed.slice(1), removed: ['ckpt-1'], lastPreservedSeconds: 0 });
    expect(sweep(managed, null, none, 0)).toEqual({ managed, removed: [], lastPreservedSeconds: 0 });
  });

  it('keeps for good at distances of n hours or more, counted from the last so kept', () => {
    const { removed, lastPreservedSeconds } = sweep([1, 2, 2.5, 4, 5, 9].map(at), 1, everyNHours(2), 0);
    expect([removed, lastPreservedSeconds]).toEqual([['ckpt-1', 'ckpt-2.5', 'ckpt-5'], 4 * 3600]);
  });

  it('keeps what any of several policies keeps', () => {
    // 3 by the hours, 4 by its number, 7 by the hours since 4
    expect(sweep([1, 3, 4, 6, 7, 8].map(at), 1, anyOf(everyNSteps(4), everyNHours(3)), 0).removed).toEqual(['ckpt-1', 'ckpt-6']);
  });

  it('never loses a checkpoint and leaves at most maxToKeep managed', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000)), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 50 }), (hours, maxToKeep, n) => {
        const managed = hours.sort((a, b) => a - b).map(at);
        const result = sweep(managed, maxToKeep, everyNHours(n), 0);
        expect(result.managed).toEqual(managed.slice(-maxToKeep));
        const gone = managed.slice(0, managed.length - result.managed.length).map((c) => c.path);
        expect(result.removed.every((p) => gone.includes(p))).toBe(true);
      }),
    );
  });
});
