import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setNoticeHandler } from '../notice.js';
import { SGD } from '../optimization/index.js';
import { configureOptimizer, setMixedPrecisionPolicy } from './index.js';

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  setNoticeHandler((text) => void warnings.push(text));
});
afterEach(() => setNoticeHandler());

describe('half precision', () => {
  it('is accepted with a warning that float32 is used', () => {
    setMixedPrecisionPolicy('float32');
    expect(warnings).toEqual([]);
    setMixedPrecisionPolicy('bfloat16');
    expect(warnings).toEqual(['mixed_precision_dtype bfloat16 has no effect: float32 is used.']);
    expect(() => setMixedPrecisionPolicy('int8' as 'float16')).toThrow(/"int8" is no type; there are float32, float16, bfloat16/);
    expect(() => setMixedPrecisionPolicy('float16', 128 as never)).toThrow(/takes no loss scale/);
  });

  it('leaves an optimizer as it is', () => {
    const optimizer = new SGD();
    expect(configureOptimizer(optimizer, { lossScale: 128 })).toBe(optimizer);
    expect(warnings).toEqual([]);
    expect(configureOptimizer(optimizer, { useFloat16: true, lossScale: 'dynamic' })).toBe(optimizer);
    expect(warnings).toHaveLength(1);
    expect(() => configureOptimizer(optimizer, { lossScale: 0 })).toThrow(/expected "dynamic", a number above 0/);
  });
});
