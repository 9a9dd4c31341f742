import { describe, expect, it } from 'vitest';
import { checkSupported, configNotices, defineConfig, field, oneOf } from './index.js';

const inner = defineConfig({ threads: field.int(0).noEffect('threads are chosen automatically'), name: '' }, { name: 'Inner' });
const branch = oneOf({ branches: { good: inner, bad: field.config(inner).refused('it is not built') } }, { name: 'Branch' });
const schema = defineConfig(
  {
    inner,
    list: field.list(inner),
    branch,
    device: field
      .choice(['cpu', 'gpu', 'tpu'], 'cpu')
      .refused('there is none', (d) => d === 'tpu')
      .noEffect('cpu is used', (d) => d === 'gpu'),
    service: field.string().optional().refused('there is no service'),
  },
  { name: 'Root' },
);

describe('configNotices', () => {
  it('is empty while everything is as declared', () => {
    expect(configNotices(schema())).toEqual([]);
    expect(configNotices(schema({ inner: { threads: 0 }, device: 'cpu' }))).toEqual([]);
  });

  it('has one line for each option that is set without effect, also inside lists', () => {
    const config = schema({ inner: { threads: 4 }, list: [{}, { threads: 2 }], device: 'gpu' });
    expect(configNotices(config)).toEqual([
      'inner.threads=4 has no effect: threads are chosen automatically.',
      'list[1].threads=2 has no effect: threads are chosen automatically.',
      'device=gpu has no effect: cpu is used.',
    ]);
  });

  it('looks only at the selected branch', () => {
    expect(configNotices(schema({ branch: { good: { threads: 3 } } }))).toEqual([]);
    expect(configNotices(schema({ branch: { type: 'good', good: { threads: 3 } } }))).toHaveLength(1);
  });
});

describe('checkSupported', () => {
  it('accepts what is honoured or has no effect', () => {
    expect(() => checkSupported(schema({ inner: { threads: 4 }, device: 'gpu', branch: { type: 'good' } }))).not.toThrow();
  });

  it.each([
    [{ device: 'tpu' as const }, 'device', 'device=tpu is not supported: there is none.'],
    [{ service: 'host:1' }, 'service', 'service=host:1 is not supported: there is no service.'],
    [{ branch: { type: 'bad' as const } }, 'branch.type', 'branch.type=bad is not supported: it is not built.'],
  ])('refuses %j', (values, path, message) => {
    expect(() => checkSupported(schema(values))).toThrow(expect.objectContaining({ message, path }));
  });

  it('does not mind values of a branch that is not selected', () => {
    expect(() => checkSupported(schema({ branch: { type: 'good', bad: { name: 'x' } } }))).not.toThrow();
  });
});
