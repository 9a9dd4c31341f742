import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { kernelDocument } from './document.js';
import { kernelDefinition, unsupportedKernels } from './index.js';

describe('the table of kernels', () => {
  it('is what docs/ops.md shows', async () => {
    await expect(kernelDocument()).toMatchFileSnapshot('../../../docs/ops.md');
  });

  it('holds every kernel of the tfjs cpu backend, or the reason why it cannot be compiled', () => {
    const reasons = new Map(unsupportedKernels());
    const kernels = tf.getKernelsForBackend('cpu').map((k) => k.kernelName);
    expect(kernels.length).toBeGreaterThan(150);
    expect(kernels.filter((k) => kernelDefinition(k) === undefined && !reasons.has(k))).toEqual([]);
    expect([...reasons.keys()].filter((k) => kernelDefinition(k) !== undefined)).toEqual([]);
  });

  it('says in one line how each kernel is compiled', () => {
    for (const line of kernelDocument()
      .split('\n')
      .filter((l) => l.startsWith('| `')))
      expect(line).toMatch(/^\| `[\w.]+` \| \S.*\|$/);
  });
});
