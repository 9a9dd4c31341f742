/** Registries of things by name, such as backbones or decoders: names with `/` form a hierarchy. */
import { UsageError } from '../errors.js';
import { didYouMean, nearestName } from '../config/index.js';

/** What names a thing: a text, split at `/`, or anything else, such as a class or a schema, taken as it is. */
export type RegistryKey = string | object;

/** A collection of named things of type `T`; make one with `new Map()`. */
export type Registry<T> = Map<RegistryKey, T | Registry<T>>;

/**
 * Registers a thing under a key; used as a function or as a decorator of a class.
 *
 * ```ts
 * const backbones: Registry<() => Model> = new Map();
 * register(backbones, 'image/resnet')(() => makeResNet());
 * const make = lookup(backbones, 'image/resnet') as () => Model;
 * ```
 *
 * @returns a function that registers what it is given and returns it unchanged
 * @throws UsageError when the key is taken, a part of it already names a thing, or a part is empty
 */
export function register<T>(collection: Registry<T>, key: RegistryKey): <V extends T>(registered: V) => V {
  return (registered) => {
    const path = partsOf(key);
    let place = collection;
    for (const [i, part] of path.slice(0, -1).entries()) {
      const next = place.get(part) ?? new Map<RegistryKey, T | Registry<T>>();
      if (!(next instanceof Map))
        throw new UsageError(
          `"${String(key)}" cannot be registered: "${path.slice(0, i + 1).join('/')}" already names a thing, and no group of them.`,
        );
      place.set(part, next);
      place = next;
    }
    const leaf = path.at(-1)!;
    if (place.has(leaf)) throw new UsageError(`${nameOf(key)} is already registered; choose another name.`);
    place.set(leaf, registered);
    return registered;
  };
}

/**
 * What is registered under a key; a group when the key names one.
 * @throws UsageError that names the part that is missing, and the nearest name
 */
export function lookup<T>(collection: Registry<T>, key: RegistryKey): T | Registry<T> {
  let found: T | Registry<T> = collection;
  for (const part of partsOf(key)) {
    const next: T | Registry<T> | undefined = found instanceof Map ? found.get(part) : undefined;
    if (next === undefined) {
      const known = found instanceof Map ? [...found.keys()].filter((k) => typeof k === 'string') : [];
      const where = part === key ? '' : ` (its part "${String(part)}")`;
      const near = typeof part === 'string' ? didYouMean(nearestName(part, known)) : '';
      throw new UsageError(
        `${nameOf(key)} is not registered${where}.${near} Known: ${known.sort().join(', ') || 'none'}. Import the module that registers it first.`,
      );
    }
    found = next;
  }
  return found;
}

function partsOf(key: RegistryKey): RegistryKey[] {
  if (typeof key !== 'string') return [key];
  const parts = key.split('/');
  if (parts.includes('')) throw new UsageError(`"${key}" is no name for a registry: it is empty, or a part between two "/" is.`);
  return parts;
}

function nameOf(key: RegistryKey): string {
  if (typeof key === 'string') return `"${key}"`;
  return (key as { name?: string }).name || 'This key';
}
