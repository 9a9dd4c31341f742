import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.js';
import { addRestrictions, cloneConfig, defineConfig, field, isLocked, lockConfig, schemaOf, toPlain, validateConfig } from './index.js';

const item = defineConfig({ a: field.int(1), b: 'text' }, { name: 'Item' });
const schema = defineConfig(
  {
    n: field.int(2),
    x: field.float(0.5),
    items: field.list(item, [{}]),
    list: field.list(field.int(), [1, 2]),
    opt: field.config(item).optional(),
    e: item,
    s: 'abc',
  },
  { name: 'Root' },
);

describe('validateConfig', () => {
  it('returns the config when everything is right', () => {
    const config = schema();
    expect(validateConfig(config)).toBe(config);
  });

  it.each<[string, (config: Record<string, unknown>) => void, string]>([
    ['a wrong type', (c) => (c.n = 'x'), 'n: expected a whole number, got "x".'],
    ['null where there must be a value', (c) => (c.x = null), 'x: expected a number, got null.'],
    ['a nested wrong type', (c) => ((c.e as Record<string, unknown>).a = 1.5), 'e.a: expected a whole number, got 1.5.'],
    ['a wrong element', (c) => (c.list = [1, 'x']), 'list[1]: expected a whole number, got "x".'],
    [
      'a wrong value in a list of configs',
      (c) => ((c.items as Record<string, unknown>[])[0]!.a = null),
      'items[0].a: expected a whole number, got null.',
    ],
    ['a deleted field', (c) => delete c.n, 'n: the field is missing; it was deleted from its Root.'],
    ['a config of another schema', (c) => (c.e = schema()), 'e: expected a config of Item or one that extends it, got one of Root.'],
  ])('finds %s', (_what, change, message) => {
    const config = schema();
    change(config as never);
    expect(() => validateConfig(config)).toThrow(message);
  });

  it('turns plain objects that were assigned to config fields into configs', () => {
    const config = schema();
    config.opt = { a: 4, b: 'p' };
    config.items = [{ a: 5, b: 'q' }];
    validateConfig(config);
    expect(schemaOf(config.opt)).toBe(item);
    expect(schemaOf(config.items[0]!)).toBe(item);
  });

  it('keeps the lists and configs that were right', () => {
    const config = schema();
    const { list, e } = config;
    validateConfig(config);
    expect(config.list).toBe(list);
    expect(config.e).toBe(e);
  });

  it('refuses plain objects', () => {
    expect(() => validateConfig({ n: 2 })).toThrow('Expected a config made by its schema, got a plain object.');
  });
});

describe('restrictions', () => {
  const check = (restriction: string): unknown => validateConfig(addRestrictions(schema(), [restriction]));

  it.each([
    'n == 2',
    'n == 2.0',
    'n != 3',
    'n <= 2',
    'n < 3',
    'n >= 2',
    'n > 1',
    'e.a<n',
    'opt == None',
    'opt == null',
    's != None',
    "s == 'abc'",
    's > e.zz'.replace('zz', 'b').replace('>', '<'),
    'x > -1',
    'list == list',
  ])('accepts %s when it holds', (restriction) => {
    expect(() => check(restriction)).not.toThrow();
  });

  it.each([
    ['n == 3', 'n: the restriction "n == 3" does not hold: n is 2.'],
    ['n != 2', 'n: the restriction "n != 2" does not hold: n is 2.'],
    ['n <= 1', 'n: the restriction "n <= 1" does not hold'],
    ['n < 2', 'n: the restriction "n < 2" does not hold'],
    ['n >= 3', 'n: the restriction "n >= 3" does not hold'],
    ['e.a > n', 'e.a: the restriction "e.a > n" does not hold: e.a is 1, n is 2.'],
    ['q == 1', 'Restriction "q == 1": there is no field q.'],
    ['e.aa == 1', 'Restriction "e.aa == 1": there is no field e.aa.'],
    ['n', 'Restriction "n": expected two sides and one of == != <= < >= > between them.'],
    ['1 < n < 3', 'Restriction "1 < n < 3": expected two sides'],
    ['n == 12ab', 'Restriction "n == 12ab": "12ab" is no number.'],
    ['opt < 1', 'Restriction "opt < 1": null and 1 have no order.'],
  ])('rejects %s', (restriction, message) => {
    expect(() => check(restriction)).toThrow(message);
  });

  it('of a schema hold for its configs wherever they are, and are kept by copies', () => {
    const pair = defineConfig({ low: field.int(0), high: field.int(1) }, { name: 'Pair', restrictions: ['low < high'] });
    const outer = defineConfig({ pair }, { name: 'Outer' });
    expect(() => validateConfig(outer({ pair: { low: 2 } }))).toThrow(
      'pair.low: the restriction "low < high" does not hold: low is 2, high is 1.',
    );
    expect(() => validateConfig(cloneConfig(addRestrictions(schema(), ['n == 3'])))).toThrow('does not hold');
  });
});

describe('lockConfig', () => {
  const locked = lockConfig(schema({ opt: {} }));
  const untyped = locked as never as { n: number; e: { a: number }; items: { a: number }[]; list: number[]; zz: number };

  it.each<[string, string, () => unknown]>([
    ['a field', 'n', () => (untyped.n = 3)],
    ['a nested field', 'e.a', () => (untyped.e.a = 3)],
    ['a field of a config in a list', 'items[0].a', () => (untyped.items[0]!.a = 3)],
    ['an element of a list', 'list[1]', () => (untyped.list[1] = 3)],
    ['the length of a list', 'list', () => untyped.list.push(3)],
    ['a new field', 'zz', () => (untyped.zz = 3)],
  ])('makes a write to %s a ConfigError with its path', (_what, path, write) => {
    let error: unknown;
    try {
      write();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).path).toBe(path);
  });

  it('leaves values readable, comparable, printable and serialisable', () => {
    expect(toPlain(locked)).toEqual(toPlain(schema({ opt: {} })));
    expect(JSON.stringify(locked)).toBe(JSON.stringify(schema({ opt: {} })));
    expect(structuredClone(toPlain(locked))).toEqual(toPlain(locked));
    expect(locked.list.map((n) => n + 1)).toEqual([2, 3]);
    expect(Array.isArray(locked.list)).toBe(true);
    expect(Object.isFrozen(locked)).toBe(true);
    expect(isLocked(locked)).toBe(true);
  });

  it('checks types, may be repeated, and copies can be changed', () => {
    const wrong = schema();
    wrong.n = 'x' as never;
    expect(() => lockConfig(wrong)).toThrow('n: expected a whole number');
    expect(lockConfig(locked)).toBe(locked);
    expect(validateConfig(locked)).toBe(locked);
    const copy = cloneConfig(locked);
    copy.e.a = 7;
    copy.list.push(3);
    expect(toPlain(copy)).toMatchObject({ e: { a: 7 }, list: [1, 2, 3] });
  });
});
