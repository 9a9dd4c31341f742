/** Typed configuration: schemas, configs, overrides, YAML and JSON Schema. */
export { Field, field } from './field.js';
export { addRestrictions, defineConfig, extendConfig, genericConfig, oneOf, type Extended, type SchemaOptions } from './schema.js';
export { cloneConfig, isConfig, schemaOf, selectedBranch, toPlain } from './instance.js';
export type {
  AnyConfigSchema,
  ConfigData,
  ConfigInput,
  ConfigInputOf,
  ConfigOf,
  ConfigRecord,
  ConfigSchema,
  ConfigValues,
  FieldLike,
  FieldLikes,
  StandardSchema,
} from './types.js';
export { didYouMean, nearestName } from './suggest.js';
