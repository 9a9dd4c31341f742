import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decimalAt } from './decimal.js';

const read = (text: string): number => decimalAt(Buffer.from(`;${text};`), 1, 1 + text.length);

describe('decimalAt', () => {
  it('is what JavaScript reads, or leaves it to that', () => {
    const check = (text: string): void => {
      const value = read(text);
      if (!Number.isNaN(value)) expect([text, value]).toEqual([text, Number(text)]);
    };
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), check), { numRuns: 2000 });
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }).map(String), check), { numRuns: 2000 });
    const digits = fc.stringMatching(/^-?\d{1,20}\.?\d{0,20}([eE][+-]?\d{1,3})?$/);
    fc.assert(fc.property(digits, check), { numRuns: 5000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.eE+- x') }), (text) => {
      const value = read(text);
      if (!Number.isNaN(value)) expect([text, value]).toEqual([text, Number(text)]);
    }), { numRuns: 5000 }); // prettier-ignore
  });

  it('reads nearly all numbers as programs write them', () => {
    const draws = Array.from({ length: 2000 }, (_, i) => Math.sin(i + 1) * 10 ** ((i % 13) - 6));
    for (const write of [String, (x: number) => x.toPrecision(17), (x: number) => x.toExponential(6), (x: number) => x.toFixed(12)])
      expect(draws.filter((x) => read(write(x)) === Number(write(x))).length).toBeGreaterThan(1800);
  });

  it('leaves numbers to the text that lie half way, or nearly, between two floats', () => {
    // 2^53 + 1 over powers of ten, and neighbours by a last digit
    for (const text of ['9007199254740993', '900719925474099.3', '9007199254740992.5', '4503599627370496.5', '4503599627370497.5']) {
      const value = read(text);
      expect([text, Number.isNaN(value) || value === Number(text)]).toEqual([text, true]);
    }
    expect([read('-0'), read('-0.0'), read('0e5'), read('12e3'), read('1.5e-05')]).toEqual([-0, -0, 0, 12000, 1.5e-5]);
    for (const text of ['', '-', '.', '1e', '1e+', '1x', '1.2.3', '--1', 'e5', '1e99999']) expect([text, read(text)]).toEqual([text, NaN]);
  });
});
