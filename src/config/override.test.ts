import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineConfig, field, lockConfig, overrideParams, parseOverrideText, toPlain } from './index.js';

const item = defineConfig({ a: field.int(1), b: 'text' }, { name: 'Item' });
const schema = defineConfig(
  {
    n: field.int(1),
    x: field.float(0.5),
    name: '',
    items: field.list(item, [{}, {}]),
    opt: field.config(item).optional(),
    free: field.record(),
    e: item,
  },
  { name: 'Root' },
);

describe('overrideParams', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  it('takes mappings, key=value text, YAML, JSON and files, and returns the same config', () => {
    const config = schema();
    expect(overrideParams(config, { n: 2 })).toBe(config);
    overrideParams(config, 'x=1e-3, name=gs://b/x');
    overrideParams(config, 'e:\n  a: 3\n');
    overrideParams(config, '{"e": {"b": "json"}}');
    overrideParams(config, file('a.yaml', 'opt: {a: 9}\n'));
    overrideParams(config, file('b.json', '{"free": {"k": [1, 2]}}'));
    expect(toPlain(config)).toMatchObject({
      n: 2,
      x: 0.001,
      name: 'gs://b/x',
      e: { a: 3, b: 'json' },
      opt: { a: 9, b: 'text' },
      free: { k: [1, 2] },
    });
  });

  it('changes nothing for an empty source', () => {
    for (const source of [null, undefined, '', {}]) expect(toPlain(overrideParams(schema(), source))).toEqual(toPlain(schema()));
  });

  it('keeps nested configs the same objects', () => {
    const config = schema();
    const { e } = config;
    overrideParams(config, 'e.a=4');
    expect(config.e).toBe(e);
  });

  it('merges a list of the same length element by element and replaces one of another length', () => {
    const config = schema();
    overrideParams(config, { items: [{ a: 5 }, { b: 'q' }] });
    overrideParams(config, { items: [{ b: 'r' }, {}] });
    expect(toPlain(config).items).toEqual([{ a: 5, b: 'r' }, { a: 1, b: 'q' }]); // prettier-ignore
    overrideParams(config, { items: [{ b: 's' }] });
    expect(toPlain(config).items).toEqual([{ a: 1, b: 's' }]);
  });

  it('is strict in blocks that it creates', () => {
    expect(() => overrideParams(schema(), 'opt.aa=1')).toThrow('opt.aa: no such field in Item. Did you mean "a"?');
  });

  it('adds unknown keys when it is not strict, in ascending order', () => {
    const config = overrideParams(schema(), { z: 1, y: { c: 2 } }, { strict: false });
    expect(Object.keys(config).slice(-2)).toEqual(['y', 'z']);
    overrideParams(config, 'y.c=3');
    expect(toPlain(config).y).toEqual({ c: 3 });
  });

  it('leaves the config as it was when anything is wrong', () => {
    const config = schema();
    const before = toPlain(config);
    expect(() => overrideParams(config, { e: { a: 7 }, items: [{ a: 9 }, { zz: 1 }] })).toThrow('items[1].zz');
    expect(toPlain(config)).toEqual(before);
  });

  it('adopts a plain object that was assigned to a config field', () => {
    const config = schema();
    config.e = { a: 5, b: 'plain' };
    overrideParams(config, 'e.b=x');
    expect(config.e).toEqual({ a: 5, b: 'x' });
    expect(() => overrideParams(config, 'e.c=x')).toThrow('e.c: no such field in Item');
  });

  it('refuses to change a locked config, or a locked part of one', () => {
    expect(() => overrideParams(lockConfig(schema()), 'n=3')).toThrow('The config is locked');
    const config = schema();
    lockConfig(config.e);
    expect(() => overrideParams(config, 'e.a=3')).toThrow('e: the config is locked');
  });

  it.each([
    ['no_such.yaml', '"no_such.yaml" is neither key=value text (a.b=1,c=2), nor a YAML mapping ({a: {b: 1}}), nor a file'],
    ['n=1,b', 'Malformed key=value text at "b": expected entries such as'],
    ['n=[[1]]', 'Lists inside lists are not supported.'],
    ['a[0]=1,a[2]=1', 'a[1] is missing: every index from 0 to 2 must be given.'],
    ['n: [1', 'wrong YAML at line 1'],
    ['n: !unknown 1', 'wrong YAML'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => overrideParams(schema(), text)).toThrow(message);
  });

  it('says what is wrong with a file', () => {
    expect(() => overrideParams(schema(), directory)).toThrow('is a directory');
    expect(() => overrideParams(schema(), file('empty.yaml', ''))).toThrow('expected a mapping of fields, the file is empty');
    expect(() => overrideParams(schema(), file('list.yaml', '- 1'))).toThrow('expected a mapping of fields, got the list [1]');
    expect(() => overrideParams(schema(), file('bad.yaml', 'a:\n  - b\n c: d\n'))).toThrow(/bad\.yaml: wrong YAML at line 3/);
  });

  it('rejects sources that are neither mapping nor text', () => {
    expect(() => overrideParams(schema(), 5 as never)).toThrow('An override is a mapping or a text, not 5.');
    expect(() => overrideParams(schema(), [1])).toThrow('not the list [1]');
  });
});

describe('parseOverrideText', () => {
  // The table and rules of the reference's conversion of key=value text.
  it.each([
    ['a=1,b=2,c=3', { a: 1, b: 2, c: 3 }],
    ['a = 1, b = 2, c = 3', { a: 1, b: 2, c: 3 }],
    ['a=1,b.b1=2', { a: 1, b: { b1: 2 } }],
    ['a.b[2]=3,a.b[0]=1,a.b[1]=2', { a: { b: [1, 2, 3] } }],
    ['a[0]=1.5,a[1]=-2', { a: [1.5, -2] }],
    ['a=gs://abc, b=x', { a: 'gs://abc', b: 'x' }],
    ['a=/x/y:z,b=sgd', { a: '/x/y:z', b: 'sgd' }],
    ['a=', { a: null }],
    ['a=,b=null,c=None', { a: null, b: null, c: 'None' }],
    ['', {}],
    ['a=1,', { a: 1 }],
    ['a=1 ,b=x y ', { a: 1, b: 'x y' }],
    ['a=\'x, y\',b="1"', { a: 'x, y', b: '1' }],
    ['a=[1, 2.5, x, true],b=[]', { a: [1, 2.5, 'x', true], b: [] }],
    ["a=['x, y', z]", { a: ['x, y', 'z'] }],
    ['a=5,a.b=1', { a: { b: 1 } }],
    ['a.b=1,a=5', { a: { b: 1 } }],
    ['a=1,a=2', { a: 2 }],
    ['a=1e-3,b=0x10,c=010,d=off', { a: 0.001, b: 16, c: 8, d: false }],
    ['a=-.5,b=1:30', { a: '-.5', b: 90 }],
    ['a={b: 1}', { a: { b: 1 } }],
    ['a="x\\ty"', { a: 'x\ty' }],
  ])('reads %j', (text, expected) => {
    expect(parseOverrideText(text)).toEqual(expected);
  });

  it.each([' a=1', 'a', '1a=2', 'a=b, c', 'a=[[1,2],[3]]', 'a.b[0]=1,a.b[2]=2', 'a[0]=x', 'a[0]=1e3', 'a..b=1', 'a.=1', "a='x"])(
    'rejects %j',
    (text) => {
      expect(() => parseOverrideText(text)).toThrow(Error);
    },
  );
});
