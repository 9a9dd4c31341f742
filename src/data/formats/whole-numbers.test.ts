import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromCsv, fromJsonLines, inspectData } from '../index.js';
import { testFolder } from './checked-in.testing.js';
import { wholeNumber } from './whole-numbers.js';

const { write } = testFolder();

describe('wholeNumber', () => {
  it('is a number for what a number writes, a BigInt for digits that it would change', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e20, max: 1e20 }).map(Math.trunc), (number) => {
        expect(wholeNumber(String(number))).toBe(number === 0 ? 0 : number);
        expect(wholeNumber(BigInt(number).toString())).toBe(number === 0 ? 0 : number);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (exact) => {
        const read = wholeNumber(exact.toString());
        expect(typeof read === 'bigint' ? read : String(read) === exact.toString() || BigInt(read) === exact).toBe(
          typeof read === 'bigint' ? exact : true,
        );
      }),
    );
    expect([wholeNumber('9007199254740992'), wholeNumber('9007199254740993')]).toEqual([2 ** 53, 2n ** 53n + 1n]);
  });
});

describe('JSON lines', () => {
  const big = '{"n": 1, "who": {"id": 9007199254740993}, "s": "12345678901234567\\" 9007199254740993", "l": [[1, -12345678901234567890]]}';
  it('give no whole number that was rounded: an error with file, line and field, or BigInts', async () => {
    const path = write('big.jsonl', `{"n": 9007199254740991}\n${big}\n`);
    await expect(fromJsonLines(path).toArray()).rejects.toThrow(
      /big\.jsonl, line 2 is no valid record: 9007199254740993, the value of "id", is a whole number that would be rounded to 9007199254740992; read it as a column \('string' keeps all digits\), or set bigInts: true\.$/,
    );
    expect(await fromJsonLines(path, { bigInts: true }).toArray()).toEqual([
      { n: 2 ** 53 - 1 },
      { n: 1, who: { id: 9007199254740993n }, s: '12345678901234567" 9007199254740993', l: [[1, -12345678901234567890n]] },
    ]);
    expect(await fromJsonLines(path, { onBadRecord: { skip: 1 } }).toArray()).toHaveLength(1);
    expect((await inspectData(path)).first).toHaveLength(2);
  });

  it('leave numbers as they are that lose nothing, and values that only look like such', async () => {
    const values = [1e20, 2 ** 63, -1e300, 0.12345678901234567, 1e21, 5e-324, '9007199254740993', { '9007199254740993': 1 }, 2 ** 53];
    expect(await fromJsonLines(write('good.jsonl', values.map((value) => JSON.stringify(value)).join('\n'))).toArray()).toEqual(values);
  });

  it('see them wherever they stand', async () => {
    for (const line of ['9007199254740993', '-9007199254740993', '[9007199254740993]', '[1,9007199254740993]', '{"a":9007199254740993}', '{"a":\t-9007199254740993}'])
      await expect(fromJsonLines(write('one.jsonl', `${line}\n`)).toArray()).rejects.toThrow(/line 1 is no valid record: -?9007199254740993.* rounded/);
  }); // prettier-ignore

  it('refuse numbers beyond all floats', async () => {
    await expect(fromJsonLines(write('far.jsonl', '{"x": [1, -1e400]}')).toArray()).rejects.toThrow(
      /line 1 is no valid record: -1e400, the value of "x", is larger than any number/,
    );
  });

  it('ask of a column only what it holds: digits of texts, the nearest float32', async () => {
    const path = write('columns.jsonl', '{"id": 7, "x": 1}\n{"id": 9007199254740993, "x": 2}\n');
    expect(await fromJsonLines(path, { columns: { id: 'string' } }).toArray()).toEqual([{ id: '7' }, { id: '9007199254740993' }]);
    expect(await fromJsonLines(path, { columns: { x: 'int32' } }).toArray()).toHaveLength(2);
    const floats = await fromJsonLines(path, { columns: { id: 'float32' } }).toArray();
    expect(floats.map(({ id }) => id.data[0])).toEqual([7, Math.fround(2 ** 53)]);
    await expect(fromJsonLines(path, { columns: { id: 'float64' } }).toArray()).rejects.toThrow(
      /columns\.jsonl, line 2, column id: the value is 9007199254740993, which float64 does not hold; read it as string/,
    );
    expect(() => fromJsonLines(path, { columns: { id: 'string' }, bigInts: true })).toThrow(/bigInts is for whole values/);
  });
});

describe('CSV', () => {
  it('gives no whole number as float64 that was rounded', async () => {
    const path = write('big.csv', Buffer.from('id,x\n9007199254740992,1\n+9007199254740993,2\n'));
    await expect(fromCsv(path, { columns: { id: 'float64' } }).toArray()).rejects.toThrow(
      /big\.csv, line 3, column id: the value is 9007199254740993, which float64 does not hold; read it as string/,
    );
    await expect(fromCsv(write('other.csv', 'id\n-12345678901234567\n'), { columns: { id: 'float64' } }).toArray()).rejects.toThrow(
      /line 2, column id: the value is -12345678901234567, which float64 does not hold/,
    );
    expect((await fromCsv(path, { columns: { id: 'float32' } }).toArray()).map(({ id }) => id.data[0])).toEqual([2 ** 53, 2 ** 53]);
    expect((await fromCsv(path).toArray()).map(({ id }) => id)).toEqual(['9007199254740992', '+9007199254740993']);
    const large = write('large.csv', 'x\n123456789012345680000\n9007199254740993.0\n1e300\n');
    const columns = { x: 'float64' } as const;
    expect((await fromCsv(large, { columns }).toArray()).map(({ x }) => x.data[0])).toEqual([123456789012345680000, 2 ** 53, 1e300]);
  });
});
