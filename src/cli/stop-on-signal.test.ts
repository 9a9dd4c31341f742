import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { statusOf, stopOnSignal } from './stop-on-signal.js';

const exit = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process, 'exit').mockImplementation(exit as never);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  exit.mockReset();
});

describe('stopOnSignal', () => {
  it('aborts at the first signal, with its name, and ends the process at the second', () => {
    const notice = vi.fn();
    const stop = stopOnSignal({ notice, graceSeconds: 0 });
    process.emit('SIGINT', 'SIGINT');
    expect([stop.signal.aborted, stop.signal.reason, notice.mock.calls, exit.mock.calls]).toEqual([true, 'SIGINT', [['SIGINT']], []]);
    process.emit('SIGTERM', 'SIGTERM');
    expect(exit.mock.calls).toEqual([[143]]);
    stop.close();
  });

  it('ends the process when the grace time is over, unless it was closed', () => {
    const stop = stopOnSignal({ notice: () => {}, graceSeconds: 5 });
    process.emit('SIGTERM', 'SIGTERM');
    vi.advanceTimersByTime(4999);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(exit.mock.calls).toEqual([[143]]);
    stop.close();
    const closed = stopOnSignal({ notice: () => {}, graceSeconds: 5 });
    process.emit('SIGTERM', 'SIGTERM');
    closed.close();
    vi.advanceTimersByTime(10_000);
    expect(exit.mock.calls.length).toBe(1);
  });

  it('gives the status of a shell; a notice that is no signal counts as SIGTERM', () => {
    expect(['SIGTERM', 'SIGINT', 'preemption_file'].map(statusOf)).toEqual([143, 130, 143]);
  });
});
