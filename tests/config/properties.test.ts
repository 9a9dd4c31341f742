/** Laws that hold for every config and every override. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cloneConfig,
  defineConfig,
  field,
  fromYaml,
  genericConfig,
  lockConfig,
  oneOf,
  overrideParams,
  parseOverrideText,
  toPlain,
  toYaml,
} from '../../src/config/index.js';

const inner = defineConfig({ n: field.int(0), x: field.float(0), s: '' }, { name: 'Inner' });
const schema = defineConfig(
  {
    inner,
    opt: field.config(inner).optional(),
    choice: oneOf({ branches: { one: inner, two: field.int(2) } }, { name: 'Choice' }),
    list: field.list(field.float()),
    words: field.list(field.string()).optional(),
    items: field.list(inner),
    free: field.record(),
    flag: false,
  },
  { name: 'Root' },
);

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('1e-3', 'off', 'null', '010', '2020-01-01', ' x', 'a: b', '- a'),
);
const float = fc.double({ noNaN: true });
const int = fc.maxSafeInteger();
const innerValues = fc.record({ n: int, x: float, s: text }, { requiredKeys: [] });
const scalar = fc.oneof(text, int, float, fc.boolean(), fc.constant(null));
const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/);
const values = fc.record(
  {
    inner: innerValues,
    opt: fc.option(innerValues),
    choice: fc.record({ type: fc.constantFrom('one', 'two', null), one: innerValues, two: int }, { requiredKeys: [] }),
    list: fc.array(float),
    words: fc.option(fc.array(text)),
    items: fc.array(innerValues),
    free: fc.dictionary(key, fc.oneof(scalar, fc.array(scalar), fc.dictionary(key, scalar))),
    flag: fc.boolean(),
  },
  { requiredKeys: [] },
);

describe('configs', () => {
  it('are the same after writing and reading YAML', () => {
    fc.assert(
      fc.property(values, (override) => {
        const config = overrideParams(schema(), override);
        expect(toPlain(fromYaml(schema, toYaml(config)))).toEqual(toPlain(config));
      }),
    );
  });

  it('are the same after being overridden with what they are, copied, or locked', () => {
    fc.assert(
      fc.property(values, (override) => {
        const config = overrideParams(schema(), override);
        const plain = toPlain(config);
        expect(toPlain(overrideParams(cloneConfig(config), plain))).toEqual(plain);
        expect(toPlain(overrideParams(schema(), plain))).toEqual(plain);
        expect(toPlain(lockConfig(cloneConfig(config)))).toEqual(plain);
      }),
    );
  });

  it('without declared fields are the same after writing and reading YAML', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), scalar), (data) => {
        fc.pre(!Object.hasOwn(data, '__proto__'));
        const config = genericConfig(Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith('_'))));
        const read = genericConfig(fromYaml(schema(), `free:\n${toYaml(config).replace(/^(?=.)/gm, '  ')}`).free);
        expect(toPlain(read)).toEqual(toPlain(config));
      }),
    );
  });
});

describe('key=value text', () => {
  const path = fc.array(key, { minLength: 1, maxLength: 3 });
  const value = fc.oneof(
    fc.integer().map((n) => ({ written: String(n), read: n as unknown })),
    fc.boolean().map((b) => ({ written: String(b), read: b as unknown })),
    fc.stringMatching(/^[^'\n]*$/).map((s) => ({ written: `'${s}'`, read: s as unknown })),
    fc.array(fc.integer()).map((list) => ({ written: `[${list.join(', ')}]`, read: list as unknown })),
  );

  it('reads back what is written', () => {
    fc.assert(
      fc.property(path, value, path, value, fc.constantFrom(',', ', '), (p, v, q, w, comma) => {
        fc.pre(p[0] !== q[0]);
        const nested = (keys: string[], inside: unknown): unknown => keys.reduceRight((data, name) => ({ [name]: data }), inside);
        const expected = { ...(nested(p, v.read) as object), ...(nested(q, w.read) as object) };
        expect(parseOverrideText(`${p.join('.')}=${v.written}${comma}${q.join('.')} = ${w.written}`)).toEqual(expected);
      }),
    );
  });
});
