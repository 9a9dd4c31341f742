import { afterEach, describe, expect, it, vi } from 'vitest';
import { notice, setNoticeHandler } from './notice.js';

afterEach(() => {
  setNoticeHandler();
  vi.restoreAllMocks();
});

describe('a notice', () => {
  it('is one plain line on standard error, and none of Node’s warnings', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean(written.push(String(text))));
    notice('Note: this is slow.');
    expect(written).toEqual(['Note: this is slow.\n']);
    expect(warned).not.toHaveBeenCalled();
  });

  it('goes where it is sent', () => {
    const lines: string[] = [];
    setNoticeHandler((line) => void lines.push(line));
    notice('a');
    expect(lines).toEqual(['a']);
  });
});
