import { describe, expect, it } from 'vitest';
import { formatOutput, LineReporter } from './reporter.js';

function lines(tell: (reporter: LineReporter) => void): { printed: string[]; logged: string[]; warned: string[] } {
  const printed: string[] = [];
  const logged: string[] = [];
  const warned: string[] = [];
  const logger = { info: (line: string) => logged.push(line), warning: (line: string) => warned.push(line) };
  tell(new LineReporter({ print: (line) => printed.push(line), logger }));
  return { printed, logged, warned };
}

describe('LineReporter', () => {
  it('aligns steps, rates and times', () => {
    const { printed, logged } = lines((reporter) => {
      reporter.trainLoopEnd({ step: 10, stepsPerSecond: 812.34, output: { loss: 0.25 } });
      reporter.evaluationEnd({ step: 1234567, seconds: 3, stepsPerSecond: null, output: {} });
    });
    expect(printed).toEqual([
      'train | step:     10 | steps/sec:  812.3 | output: { loss: 0.25 }',
      ' eval | step: 1234567 | eval time:    3.0 sec | output: {}',
    ]);
    expect(logged).toEqual(printed);
  });

  it('keeps warnings and the wait for checkpoints out of the printed lines', () => {
    const { printed, logged, warned } = lines((reporter) => {
      reporter.warning('careful');
      reporter.checkpointSync();
    });
    expect(printed).toEqual([]);
    expect(logged).toHaveLength(1);
    expect(warned).toEqual(['careful']);
  });
});

describe('formatOutput', () => {
  it('shows 32-bit values without the noise of 64 bits, and NaN as it is', () => {
    expect(formatOutput({ a: Math.fround(0.1), b: NaN, n: { c: 1e-12 / 3 } })).toBe('{ a: 0.1, b: NaN, n: { c: 3.3333333e-13 } }');
  });

  it('puts what does not fit in a line on lines of its own, indented', () => {
    const text = formatOutput(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`metric_number_${i}`, i / 3])));
    expect(text.startsWith('\n    {')).toBe(true);
    expect(
      text
        .split('\n')
        .slice(1)
        .every((line) => line.startsWith('    ')),
    ).toBe(true);
  });
});
