import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../../errors.js';
import { compile } from '../index.js';
import { kernelDocument } from './document.js';
import { kernelDefinition, unsupportedKernels } from './index.js';

describe('the table of kernels', () => {
  it('is what docs/ops.md shows', async () => {
    await expect(kernelDocument()).toMatchFileSnapshot('../../../docs/ops.md');
  });

  it('holds every kernel that tfjs names or its cpu backend has, or the reason why it cannot be compiled', () => {
    const reasons = new Map(unsupportedKernels());
    const cpu = new Set(tf.getKernelsForBackend('cpu').map((k) => k.kernelName));
    // tfjs exports the name of each kernel as a constant.
    const named = Object.entries(tf as unknown as Record<string, unknown>)
      .filter(([name, value]) => typeof value === 'string' && /^[A-Z_]/.test(name) && name.replace(/^_/, '') === value.replace(/^_/, ''))
      .map(([, value]) => value as string);
    expect(named.length).toBeGreaterThan(170);
    expect(cpu.size).toBeGreaterThan(150);
    const all = [...new Set([...named, ...cpu])].sort();
    expect(all.filter((k) => kernelDefinition(k) === undefined && !reasons.has(k))).toEqual([]);
    expect([...reasons.keys()].filter((k) => kernelDefinition(k) !== undefined)).toEqual([]);
    expect([...reasons.keys()].filter((k) => !all.includes(k))).toEqual([]);
    expect(reasons.size).toBeLessThan(40);
  });

  it('holds the reason that a compiled function gives for each kernel that cannot be compiled', () => {
    for (const [kernel, reason] of unsupportedKernels()) {
      const run = compile((x: tf.Tensor) => tf.engine().runKernel(kernel, { x }, {}) as tf.Tensor);
      expect(() => run.runSync(tf.scalar(1))).toThrow(TraceError);
      expect(() => run.runSync(tf.scalar(1))).toThrow(`${kernel} cannot be compiled: ${reason}. Call it outside the compiled function`);
    }
  });

  it('says in one line how each kernel is compiled', () => {
    for (const line of kernelDocument()
      .split('\n')
      .filter((l) => l.startsWith('| `')))
      expect(line).toMatch(/^\| `[\w.]+` \| \S.*\|$/);
  });
});
