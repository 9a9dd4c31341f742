/** Declaring configs: `defineConfig`, `extendConfig`, `oneOf`, and the free-form `genericConfig`. */
import { ConfigError } from '../errors.js';
import { assignField, createConfig } from './apply.js';
import { describeValue } from './suggest.js';
import { specOf } from './field.js';
import { genericInfo } from './generic.js';
import { extrasOf, infoOf, instantiate, isConfig, isMapping, makePrototype } from './instance.js';
import {
  INFO,
  type AnyConfigSchema,
  type ConfigInput,
  type ConfigRecord,
  type ConfigSchema,
  type ConfigValues,
  type FieldLikes,
  type FieldSpec,
  type Flatten,
  type SchemaInfo,
} from './types.js';

/** Options of a schema. */
export interface SchemaOptions {
  /** Name in error messages, JSON Schema and documentation, such as `TrainerConfig`. */
  readonly name: string;
  /** Relations that `validateConfig` checks, such as `'train_data.is_training != None'`; paths start at this config. */
  readonly restrictions?: readonly string[];
}

/** The configs of an extended schema: the base's fields, replaced where the extension names them again, then the new ones. */
export type Extended<T, F> = Flatten<Omit<T, keyof F> & F>;

/**
 * Declares a config. Every entry of `fields` is a field (`field.int(3)`), another schema (a nested config), or a plain
 * default. Documentation is the comment above the entry. The result is called to make a config.
 *
 * @example
 * const modelSchema = defineConfig({ units: 64, dropout: field.float(0.1) }, { name: 'ModelConfig' });
 * const model = modelSchema({ units: 128 }); // { units: 128, dropout: 0.1 }
 */
export function defineConfig<F extends FieldLikes>(fields: F, options: SchemaOptions): ConfigSchema<ConfigValues<F>, ConfigInput<F>> {
  return buildSchema(specsOf(fields), options, null, false) as unknown as ConfigSchema<ConfigValues<F>, ConfigInput<F>>;
}

/**
 * Declares a config that has all fields of `base` and `fields` besides. A field that `base` has too keeps its place and
 * takes the new declaration. Its configs are accepted wherever `base` is declared.
 */
export function extendConfig<T extends object, I, F extends FieldLikes>(
  base: AnyConfigSchema<T, I>,
  fields: F,
  options: SchemaOptions,
): ConfigSchema<Extended<T, ConfigValues<F>>, Extended<I, ConfigInput<F>>> {
  const info = base[INFO];
  if (info.isOneOf && 'type' in fields)
    throw new ConfigError(`${options.name}: the field "type" of a choice cannot be declared again.`, { path: 'type' });
  const specs = new Map([...info.fields, ...specsOf(fields)]);
  return buildSchema(
    specs,
    { ...options, restrictions: [...info.restrictions, ...(options.restrictions ?? [])] },
    info,
    info.isOneOf,
  ) as never;
}

/** A choice: `type` selects one of the branches, `null` none. All branches hold values; only the selected one is exported. */
export function oneOf<B extends FieldLikes>(
  choice: { readonly type?: (keyof B & string) | null; readonly branches: B },
  options: SchemaOptions,
): ConfigSchema<{ type: (keyof B & string) | null } & ConfigValues<B>, { readonly type?: (keyof B & string) | null } & ConfigInput<B>> {
  const { branches, type = null } = choice;
  if ('type' in branches) throw new ConfigError(`${options.name}: "type" cannot be the name of a branch.`, { path: 'type' });
  const typeSpec: FieldSpec = {
    shape: { kind: 'choice', choices: Object.keys(branches) },
    nullable: true,
    default: type,
    doc: 'Name of the selected branch; null selects none.',
    support: [],
  };
  return buildSchema(new Map([['type', typeSpec], ...specsOf(branches)]), options, null, true) as never;
}

/** A free-form config, whose keys are those of `values`: a strict override accepts no others. */
export function genericConfig(values: Readonly<Record<string, unknown>> = {}): ConfigRecord {
  return createConfig(genericInfo, values, '') as ConfigRecord;
}

/** Attaches restrictions to one config; `validateConfig` checks them after those of its schema. */
export function addRestrictions<T extends object>(config: T, restrictions: readonly string[]): T {
  const own = extrasOf(config);
  own.restrictions = [...(own.restrictions ?? []), ...restrictions];
  return config;
}

function specsOf(fields: FieldLikes): Map<string, FieldSpec> {
  const specs = new Map<string, FieldSpec>();
  for (const [name, like] of Object.entries(fields)) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
      throw new ConfigError(`${name}: a field's name has letters, digits and underscores and starts with a letter.`, { path: name });
    }
    specs.set(name, withDefault(name, specOf(name, like)));
  }
  return specs;
}

/** Gives a free-form field or list its empty default and lets every default pass the field's own check. */
function withDefault(name: string, spec: FieldSpec): FieldSpec {
  if (spec.default === undefined && spec.shape.kind === 'record') return { ...spec, default: instantiate(genericInfo) };
  if (spec.default === undefined && spec.shape.kind === 'list') return { ...spec, default: [] };
  if (spec.default === undefined) {
    throw new ConfigError(`${name}: the field has no default. Give one, or write .optional() for null.`, { path: name });
  }
  return { ...spec, default: assignField(spec, undefined, spec.default, name) };
}

function buildInfo(fields: ReadonlyMap<string, FieldSpec>, options: SchemaOptions, base: SchemaInfo | null, isOneOf: boolean): SchemaInfo {
  const info: { -readonly [K in keyof SchemaInfo]: SchemaInfo[K] } = {
    name: options.name,
    fields,
    base,
    restrictions: options.restrictions ?? [],
    isOneOf,
    isGeneric: false,
    prototype: makePrototype(() => info),
    factory: undefined as never,
  };
  return info;
}

function buildSchema(
  fields: ReadonlyMap<string, FieldSpec>,
  options: SchemaOptions,
  base: SchemaInfo | null,
  isOneOf: boolean,
): AnyConfigSchema {
  const info = buildInfo(fields, options, base, isOneOf);
  const factory = (values?: unknown): object => {
    if (values === undefined || values === null) return instantiate(info);
    if (infoOf(values) === info || isMapping(values)) return createConfig(info, values as Record<string, unknown>, '');
    const given = isConfig(values) ? `a config of ${infoOf(values)!.name}` : describeValue(values);
    throw new ConfigError(`${info.name}: expected a mapping of fields, got ${given}.`);
  };
  Object.defineProperty(factory, 'name', { value: info.name });
  const schema = Object.assign(factory, { schemaName: info.name, [INFO]: info }) as unknown as AnyConfigSchema;
  (info as { factory: AnyConfigSchema }).factory = schema;
  return schema;
}
