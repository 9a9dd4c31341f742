import { describe, expect, it } from 'vitest';
import { count, duration, logs, rate, value } from './format.js';

describe('format', () => {
  it('shows values with about four significant digits', () => {
    expect([0, 3, 0.12345, 12.3456, 1234.567, 1.2345e-7, NaN].map(value)).toEqual([
      '0',
      '3',
      '0.1235',
      '12.35',
      '1234.6',
      '1.23e-7',
      'NaN',
    ]);
  });

  it('shows durations in the unit that fits', () => {
    expect([0.42, 12.3, 185, 7620, Infinity].map(duration)).toEqual(['0.4 s', '12 s', '3 min 05 s', '2 h 07 min', '?']);
  });

  it('separates thousands and keeps digits of small rates', () => {
    expect([count(1234567), rate(1234.4), rate(3.44)]).toEqual(['1,234,567', '1,234', '3.4']);
  });

  it('joins nested names', () => {
    expect(logs({ loss: 0.5, dev: { f1: 0.25 } })).toBe('loss 0.5000  dev/f1 0.2500');
  });
});
