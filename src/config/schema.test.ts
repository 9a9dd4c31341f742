import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.js';
import {
  cloneConfig,
  defineConfig,
  extendConfig,
  field,
  genericConfig,
  isConfig,
  oneOf,
  schemaOf,
  selectedBranch,
  toPlain,
} from './index.js';

const layer = defineConfig({ units: field.int(8).min(1), activation: 'relu' }, { name: 'Layer' });
const model = defineConfig(
  {
    layers: field.list(layer),
    dropout: field.float(0.1).min(0).max(1),
    head: field.config(layer).optional(),
    body: field.config(layer, { units: 16 }),
    kind: field.choice(['small', 'Large'], 'small'),
    paths: field.union([field.string(), field.list(field.string()), field.record(field.string())], ''),
    bias: true,
  },
  { name: 'Model' },
);

function errorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('defineConfig', () => {
  it('makes configs with own enumerable fields in declaration order', () => {
    const config = model();
    expect(Object.keys(config)).toEqual(['layers', 'dropout', 'head', 'body', 'kind', 'paths', 'bias']);
    expect(JSON.parse(JSON.stringify(config))).toEqual({
      layers: [],
      dropout: 0.1,
      head: null,
      body: { units: 16, activation: 'relu' },
      kind: 'small',
      paths: '',
      bias: true,
    });
  });

  it('gives every config its own nested configs and lists', () => {
    const [a, b] = [model(), model()];
    a.body.units = 1;
    a.layers.push(layer());
    expect(b.body.units).toBe(16);
    expect(b.layers).toEqual([]);
  });

  it('makes nested configs, also in lists and optional fields, from mappings', () => {
    const config = model({ layers: [{ units: 2 }, {}], head: { activation: 'tanh' } });
    expect(toPlain(config).layers).toEqual([
      { units: 2, activation: 'relu' },
      { units: 8, activation: 'relu' },
    ]);
    expect(config.head).toEqual({ units: 8, activation: 'tanh' });
    expect(schemaOf(config.head!)).toBe(layer);
  });

  it('takes undefined as "not given"', () => {
    expect(model({ dropout: undefined }).dropout).toBe(0.1);
  });

  it('copies configs that are given as values', () => {
    const mine = layer({ units: 3 });
    const config = model({ body: mine });
    mine.units = 4;
    expect(config.body.units).toBe(3);
  });

  it.each([
    [{ dropuot: 0.2 }, 'dropuot: no such field in Model. Did you mean "dropout"?'],
    [{ units: 3 }, 'units: no such field in Model. Did you mean "head.units" or "body.units"?'],
    [{ zzz: 3 }, 'zzz: no such field in Model. Its fields: layers, dropout, head, body, kind, paths, bias.'],
    [{ body: { units: 1.5 } }, 'body.units: expected a whole number, got 1.5.'],
    [{ body: { units: '12' } }, 'body.units: expected a whole number, got "12". Write the number without quotes.'],
    [{ body: { units: 0 } }, 'body.units: expected at least 1, got 0.'],
    [{ body: { units: true } }, 'body.units: expected a whole number, got true.'],
    [{ body: null }, 'body: expected a mapping (Layer), got null. Give it a value, or leave the line out to keep the default.'],
    [{ body: 3 }, 'body: expected a mapping (Layer), got 3.'],
    [{ head: 3 }, 'head: expected a mapping (Layer) or null, got 3.'],
    [{ layers: [{}, { unit: 3 }] }, 'layers[1].unit: no such field in Layer. Did you mean "units"?'],
    [{ layers: { units: 1 } }, 'layers: expected a list (each element a mapping (Layer)), got a mapping {units}.'],
    [{ dropout: NaN }, 'dropout: expected a number, got NaN.'],
    [{ dropout: 'None' }, 'dropout: expected a number, got "None". Write null for "no value".'],
    [{ dropout: 2 }, 'dropout: expected at most 1, got 2.'],
    [{ kind: 'smal' }, 'kind: expected one of "small", "Large", got "smal". Did you mean "small"?'],
    [{ bias: 'true' }, 'bias: expected true or false, got "true".'],
    [{ paths: 3 }, 'paths: expected text, or a list (each element text), or a mapping, got 3.'],
    [{ paths: { a: 1 } }, "paths.a: expected text, got 1. Put it in quotes: '1'."],
    [
      { body: { activation: false } },
      'body.activation: expected text, got false. YAML reads yes, no, on and off as true and false: put the word in quotes.',
    ],
    [JSON.parse('{"__proto__": {"x": 1}}') as object, '__proto__: this name is reserved and cannot be a field.'],
  ])('rejects %j with path, value and expectation', (values, message) => {
    const error = errorOf(() => model(values as never));
    expect(error.message).toBe(message);
    expect(error.path).toBe(message.split(': ')[0]);
  });

  it('accepts numbers written as text and whole numbers for floats, and choices in any case', () => {
    expect(model({ dropout: '1e-3' as never }).dropout).toBe(0.001);
    expect(model({ dropout: 1 }).dropout).toBe(1);
    expect(model({ kind: 'LARGE' as never }).kind).toBe('Large');
  });

  it('takes null as the empty text where that means "not set"', () => {
    expect(model({ paths: null as never }).paths).toBe('');
    expect(() => layer({ activation: null as never })).toThrow('activation: expected text, got null.');
  });

  it('reads false as the choice "off", which YAML makes of an unquoted off', () => {
    const strategy = defineConfig({ strategy: field.choice(['off', 'mirrored'], 'mirrored') }, { name: 'Strategy' });
    expect(strategy({ strategy: false as never }).strategy).toBe('off');
    expect(() => strategy({ strategy: true as never })).toThrow(/expected one of "off", "mirrored", got true/);
  });

  it('refuses declarations without default, type or valid name', () => {
    expect(() => defineConfig({ a: field.int() }, { name: 'X' })).toThrow('a: the field has no default');
    expect(() => defineConfig({ a: [] }, { name: 'X' })).toThrow('element type of an empty list');
    expect(() => defineConfig({ a: null as never }, { name: 'X' })).toThrow('a: null does not declare a field');
    expect(() => defineConfig({ 'a-b': 3 }, { name: 'X' })).toThrow('letters, digits and underscores');
    expect(() => defineConfig({ a: field.int(0).min(1) }, { name: 'X' })).toThrow('a: expected at least 1, got 0');
  });

  it('checks a custom field with its own schema', () => {
    const even = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) => (Number(value) % 2 === 0 ? { value: Number(value) } : { issues: [{ message: 'must be even' }] }),
      },
    };
    const config = defineConfig({ n: field.custom<number>(even, 2) }, { name: 'Even' });
    expect(config({ n: 4 }).n).toBe(4);
    expect(() => config({ n: 3 })).toThrow('n: must be even (got 3).');
  });

  it('refuses writes to fields that do not exist', () => {
    const config = model() as unknown as Record<string, unknown>;
    expect(() => (config.dropuot = 3)).toThrow('dropuot: no such field in Model. Did you mean "dropout"?');
  });

  it('shows its name and fields when printed', () => {
    expect(inspect(layer())).toBe("Layer { units: 8, activation: 'relu' }");
  });
});

describe('extendConfig', () => {
  const conv = extendConfig(layer, { kernel: field.int(3), activation: field.string('gelu') }, { name: 'Conv' });

  it('adds fields after those of the base and replaces declarations in place', () => {
    expect(toPlain(conv())).toEqual({ units: 8, activation: 'gelu', kernel: 3 });
    expect(Object.keys(conv())).toEqual(['units', 'activation', 'kernel']);
  });

  it('is accepted, and keeps its schema, wherever the base is declared', () => {
    const config = model({ body: conv({ kernel: 5 }) });
    expect(schemaOf(config.body)).toBe(conv);
    expect(schemaOf(cloneConfig(config).body)).toBe(conv);
  });

  it('does not make the base acceptable in its place', () => {
    const net = defineConfig({ conv }, { name: 'Net' });
    expect(() => net({ conv: layer() as never })).toThrow('conv: expected a config of Conv or one that extends it, got one of Layer.');
  });
});

describe('oneOf', () => {
  const backbone = oneOf({ type: 'dense', branches: { dense: layer, depth: 7 } }, { name: 'Backbone' });

  it('holds all branches and exports the selected one', () => {
    const config = backbone({ dense: { units: 3 } });
    expect(Object.keys(config)).toEqual(['type', 'dense', 'depth']);
    expect(toPlain(config)).toEqual({ type: 'dense', dense: { units: 3, activation: 'relu' } });
    config.type = 'depth';
    expect(toPlain(config)).toEqual({ type: 'depth', depth: 7 });
    config.type = null;
    expect(toPlain(config)).toEqual({ type: null });
  });

  it('gives the selected branch', () => {
    expect(selectedBranch(backbone({ type: 'depth' }))).toBe(7);
    expect(selectedBranch(backbone({ type: null }))).toBeNull();
  });

  it('rejects a type that names no branch, with the nearest name', () => {
    expect(() => backbone({ type: 'dens' as never })).toThrow(
      'type: expected one of "dense", "depth" or null, got "dens". Did you mean "dense"?',
    );
    const config = backbone();
    config.type = 'dens' as never;
    expect(() => toPlain(config)).toThrow('type: "dens" is no branch of Backbone. Did you mean "dense"? Known: dense, depth.');
  });

  it('keeps branches that are not selected in copies', () => {
    expect(cloneConfig(backbone({ type: null, depth: 3 })).depth).toBe(3);
  });
});

describe('schemaOf', () => {
  it('finds the schema of a config and refuses plain objects', () => {
    const config = layer();
    expect(schemaOf(config)).toBe(layer);
    expect(isConfig(config)).toBe(true);
    expect(isConfig({ units: 8 })).toBe(false);
    expect(() => schemaOf({ units: 8 })).toThrow(ConfigError);
  });
});

describe('genericConfig', () => {
  it('holds mappings of any keys, and neither nested nor mixed lists', () => {
    expect(toPlain(genericConfig({ b: { c: [1, 'x', null] }, a: [{ d: 1 }] }))).toEqual({ b: { c: [1, 'x', null] }, a: [{ d: 1 }] });
    expect(() => genericConfig({ a: [[1]] })).toThrow('a: lists inside lists are not supported');
    expect(() => genericConfig({ a: [1, {}] })).toThrow('a: a list holds either scalars or mappings');
    expect(() => genericConfig({ a: new Date(0) })).toThrow('a: expected text, a number');
  });
});
