import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { lookup, register, type Registry } from './index.js';

const made = (): Registry<() => string> => {
  const registry: Registry<() => string> = new Map();
  register(registry, 'image/resnet')(() => 'resnet');
  register(registry, 'image/vit')(() => 'vit');
  register(registry, 'linear')(() => 'linear');
  return registry;
};

describe('a registry', () => {
  it('finds what was registered, and groups of it', () => {
    const registry = made();
    const resnet = (): string => 'another';
    expect(register(registry, 'text/lstm')(resnet)).toBe(resnet);
    expect(lookup(registry, 'text/lstm')).toBe(resnet);
    expect((lookup(registry, 'image/vit') as () => string)()).toBe('vit');
    expect([...(lookup(registry, 'image') as Registry<() => string>).keys()]).toEqual(['resnet', 'vit']);
  });

  it('takes classes and other objects as keys', () => {
    class Key {}
    const registry: Registry<number> = new Map();
    register(registry, Key)(3);
    expect(lookup(registry, Key)).toBe(3);
    expect(() => register(registry, Key)(4)).toThrow(/Key is already registered/);
    expect(() => lookup(registry, class Other {})).toThrow(/Other is not registered/);
  });

  it('refuses a name that is taken, and one below a thing', () => {
    const registry = made();
    const thing = (): string => '';
    expect(() => register(registry, 'linear')(thing)).toThrow(UsageError);
    expect(() => register(registry, 'image')(thing)).toThrow(/"image" is already registered/);
    expect(() => register(registry, 'linear/small')(thing)).toThrow(/"linear" already names a thing/);
    expect(() => register(registry, 'image//x')(thing)).toThrow(/a part between two "\/" is/);
  });

  it('names the missing part and the nearest name', () => {
    expect(() => lookup(made(), 'image/resnat')).toThrow(/"image\/resnat" is not registered \(its part "resnat"\)\. Did you mean "resnet"\?.*Known: resnet, vit\. Import the module/); // prettier-ignore
    expect(() => lookup(made(), 'linea')).toThrow(/"linea" is not registered\. Did you mean "linear"\?/);
    expect(() => lookup(made(), 'linear/small')).toThrow(/its part "small"\).*Known: none/);
  });
});
