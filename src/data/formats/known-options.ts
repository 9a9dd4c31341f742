import { readerOptions, type OptionKinds } from '../arguments.js';
import type { BatchOptions } from '../sources/batch-options.js';
import type { StreamOptions } from '../sources/blocks.js';
import type { CacheOptions } from '../sources/groups.js';
import { checkRulesByName, type ValueRules } from '../value-rules.js';
import type { ClassOptions } from './class-folder.js';
import type { FileElementOptions } from './file-elements.js';

/** Options that several readers have, by the part of the project that reads them. */
export const known = {
  stream: { onBadRecord: 'value' } satisfies OptionKinds<StreamOptions>,
  batch: { batchSize: 'value', dropRemainder: 'switch' } satisfies OptionKinds<BatchOptions>,
  cache: { cacheBytes: 'value' } satisfies OptionKinds<CacheOptions>,
  files: { parallel: 'value', onBadRecord: 'value' } satisfies OptionKinds<FileElementOptions>,
  classes: { classes: 'value' } satisfies OptionKinds<ClassOptions>,
} as const;

/** The rules of the arrays that a reader's only option gives, checked by the names of the arrays. */
export function rulesOption(
  options: object | null | undefined,
  reader: string,
  names: readonly string[],
): Readonly<Record<string, ValueRules>> {
  const { rules = {} } = readerOptions<{ rules?: Readonly<Record<string, ValueRules>> }>(options, reader, { rules: 'value' });
  checkRulesByName(rules, names);
  return rules;
}
