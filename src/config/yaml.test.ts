import { describe, expect, it } from 'vitest';
import { defineConfig, field, fromYaml, genericConfig, oneOf, parseYaml, toPlain, toYaml } from './index.js';
import { floatText } from './float-text.js';

const read = (text: string): unknown => parseYaml(text, 'test');

describe('parseYaml', () => {
  // The reference's table of what its loader makes of words; `1.5e3` is a float here by choice.
  it.each([
    ['[true, True, TRUE, yes, Yes, on, On]', Array(7).fill(true)],
    ['[false, no, off, OFF]', Array(4).fill(false)],
    ['[y, n, Y, N]', ['y', 'n', 'Y', 'N']],
    ['[null, Null, NULL, ~]', Array(4).fill(null)],
    ['a:', { a: null }],
    ['[None, none]', ['None', 'none']],
    ['[12, +12, -0, 1_000, 0x1F, 0b11, 010, 0777]', [12, 12, 0, 1000, 31, 3, 8, 511]],
    ['[08, 0o10]', ['08', '0o10']],
    ['[190:20:30, 1:30]', [685230, 90]],
    ['[1., 0.5, .5, +0.001, 1_000.5, 1.5e+3, -1.e-3, 1.5E-3, .5e-3]', [1, 0.5, 0.5, 0.001, 1000.5, 1500, -0.001, 0.0015, 0.0005]],
    ['[1e3, 1E3, 1e+3, 1e-3, 12e03]', [1000, 1000, 1000, 0.001, 12000]],
    ['[1.5e3, 1.0e6, .5e3, 1.e3]', [1500, 1e6, 500, 1000]],
    ['[-.5, +.5]', ['-.5', '+.5']],
    ['[.inf, -.inf, .nan]', [Infinity, -Infinity, NaN]],
    ['[inf, nan, NaN]', ['inf', 'nan', 'NaN']],
    ['a: 2020-01-01', { a: '2020-01-01' }],
    ['["1", \'true\', "1e-3"]', ['1', 'true', '1e-3']],
    ['a: x#c # comment', { a: 'x#c' }],
    ['{a: 1,\n b: {c},\n}', { a: 1, b: { c: null } }],
    ['x: &d {a: 1, b: 2}\ny:\n  <<: *d\n  b: 3', { x: { a: 1, b: 2 }, y: { a: 1, b: 3 } }],
    ['a: |\n  x\n  y\nb: >\n  x\n  y\n', { a: 'x\ny\n', b: 'x y\n' }],
    ['a: !!python/tuple [1, 2]\nb: !!python/tuple\n- x\n- y', { a: [1, 2], b: ['x', 'y'] }],
    ['a: !!str 5\nb: !!float 3\nc: !!int 3', { a: '5', b: 3, c: 3 }],
    ['{"a": [1.0, null]}', { a: [1, null] }],
    ['', null],
    ['# nothing', null],
  ])('reads %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each(['a: 1\n---\nb: 2', 'a: [1', 'a: !!python/object:x {}', 'a: !!int x', 'a: *nowhere', '\ta: 1', 'a: b: c'])(
    'rejects %j',
    (text) => {
      expect(() => read(text)).toThrow(/^test: /);
    },
  );

  it('refuses a section that stands twice, of which one would be ignored', () => {
    expect(() => read('task:\n  a: 1\ntrainer:\n  b: 1\ntask:\n  c: 1\n')).toThrow(
      'test: wrong YAML at line 5, column 1: the key stands twice in its section, and one of the two would be ignored; join them. The line: "task:".',
    );
  });

  it('does not let a file reach the prototype of objects', () => {
    const data = read('__proto__: {polluted: true}') as object;
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('floatText', () => {
  // Values of Python's yaml.dump.
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [1e6, '1000000.0'],
    [0.1, '0.1'],
    [1e-4, '0.0001'],
    [1.5e-4, '0.00015'],
    [1e-5, '1.0e-05'],
    [1.25e-7, '1.25e-07'],
    [-3e-5, '-3.0e-05'],
    [1e15, '1000000000000000.0'],
    [1e16, '1.0e+16'],
    [1.5e300, '1.5e+300'],
    [123456.789, '123456.789'],
    [Infinity, '.inf'],
    [-Infinity, '-.inf'],
  ])('writes %d as %s', (value, text) => {
    expect(floatText(value)).toBe(text);
  });
});

describe('toYaml', () => {
  it('sorts keys, writes mappings as blocks and lists inline, floats with a dot', () => {
    const inner = defineConfig({ z: field.float(2), a: field.list(field.float(), [1, 0.5]), e: field.record() }, { name: 'Inner' });
    const outer = defineConfig(
      { y: field.list(inner, [{}]), b: inner, n: 3, none: field.int().optional(), flag: true, s: '' },
      { name: 'Outer' },
    );
    expect(toYaml(outer())).toBe(
      [
        'b:',
        '  a: [1.0, 0.5]',
        '  e: {}',
        '  z: 2.0',
        'flag: true',
        'n: 3',
        'none: null',
        "s: ''",
        'y: [{a: [1.0, 0.5], e: {}, z: 2.0}]',
        '',
      ].join('\n'),
    );
  });

  it('writes only the selected branch', () => {
    const choice = oneOf({ type: 'a', branches: { a: 1, b: 2 } }, { name: 'Choice' });
    expect(toYaml(choice())).toBe('a: 1\ntype: a\n');
  });

  it('breaks long lists after 80 characters', () => {
    const text = toYaml(genericConfig({ key: Array.from({ length: 40 }, (_, i) => 1000 + i) }));
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines.slice(1).every((line) => line.startsWith('  1'))).toBe(true);
    expect(read(text)).toEqual({ key: Array.from({ length: 40 }, (_, i) => 1000 + i) });
  });

  it.each([
    ['plain', 'plain'],
    ['two words', 'two words'],
    ['gs://a/b*', 'gs://a/b*'],
    ["it's", "it's"],
    ["'x", "'''x'"],
    ['1e-3', "'1e-3'"],
    ['0777', "'0777'"],
    ['off', "'off'"],
    ['null', "'null'"],
    ['2020-01-01', "'2020-01-01'"],
    ['a: b', "'a: b'"],
    ['a #b', "'a #b'"],
    ['- x', "'- x'"],
    ['-x', '-x'],
    [' x', "' x'"],
    ['*x', "'*x'"],
    ['a\nb', '"a\\nb"'],
    ['ä', 'ä'],
    ['a,b', 'a,b'],
  ])('writes the text %j as %s', (value, text) => {
    expect(toYaml(genericConfig({ k: value }))).toBe(`k: ${text}\n`);
  });
});

describe('fromYaml', () => {
  const schema = defineConfig({ a: 1, b: field.float(0.5) }, { name: 'Pair' });

  it('starts from the defaults of a schema or the values of a config', () => {
    expect(toPlain(fromYaml(schema, 'b: 2'))).toEqual({ a: 1, b: 2 });
    const config = schema({ a: 5 });
    expect(toPlain(fromYaml(config, 'b: 2'))).toEqual({ a: 5, b: 2 });
    expect(config.b).toBe(0.5);
  });

  it('is strict, and refuses text without a mapping', () => {
    expect(() => fromYaml(schema, 'c: 2')).toThrow('c: no such field in Pair.');
    expect(() => fromYaml(schema, '')).toThrow('the text is empty');
    expect(() => fromYaml(schema, '[1]')).toThrow('got the list [1]');
  });
});
