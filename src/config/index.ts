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
export { parseOverrideText } from './override-text.js';
export { fromYaml, overrideParams, readConfigFile, type OverrideOptions, type OverrideSource } from './override.js';
export { checkSupported, configNotices } from './support.js';
export { isLocked, lockConfig, validateConfig } from './validate.js';
export { parseYaml } from './yaml-read.js';
export { toYaml } from './yaml-write.js';
export { toJsonSchema, type JsonSchema } from './json-schema.js';
