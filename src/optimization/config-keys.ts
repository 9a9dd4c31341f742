import { ConfigError } from '../errors.js';

/** A config branch's fields under camelCase names. */
export type Branch = Readonly<Record<string, unknown>>;

/**
 * `beta_1` → `beta1`, `weight_decay_rate` → `weightDecayRate`. `jit_compile` has no effect here and is dropped.
 *
 * @throws ConfigError for a key that is not snake_case, such as `beta1`, which would otherwise pass for `beta_1`.
 */
export function camelKeys(branch: object): Branch {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(branch)) {
    if (key === 'jit_compile') continue;
    const snake = snakeKey(key);
    if (snake !== key) throw new ConfigError(`"${key}" is not known. Did you mean "${snake}"?`, { path: key });
    result[key.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())] = value;
  }
  return result;
}

/** `beta1` → `beta_1`: the config's spelling of an option. */
export function snakeKey(key: string): string {
  return key.replace(/([a-z])([A-Z0-9])/g, '$1_$2').toLowerCase();
}
