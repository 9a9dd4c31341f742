/** The generic schema: a config without declared fields, whose keys are whatever it was made from. */
import { instantiate, makePrototype } from './instance.js';
import { INFO, type AnyConfigSchema, type SchemaInfo } from './types.js';

/** The one schema of all free-form configs. */
export const genericInfo: SchemaInfo = {
  name: 'the free-form mapping',
  fields: new Map(),
  base: null,
  restrictions: [],
  isOneOf: false,
  isGeneric: true,
  prototype: makePrototype(() => genericInfo),
  get factory() {
    return genericSchema;
  },
};

const genericSchema = Object.assign(() => instantiate(genericInfo), {
  schemaName: genericInfo.name,
  [INFO]: genericInfo,
}) as unknown as AnyConfigSchema;
