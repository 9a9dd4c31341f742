import { UsageError } from '../../errors.js';
import { describe, isRecord } from '../structure.js';
import { checkRules } from '../value-rules.js';
import type { FeatureSpec } from './parse.js';
import type { FeatureListSpec, SequenceSpecs } from './parse-sequence.js';

const dtypes: readonly unknown[] = ['float32', 'int32', 'string', 'bytes'] satisfies FeatureSpec['dtype'][];
/** The specs that were looked at last: those of a parser are the same for every record. */
let checked: object | undefined;
let checkedSequence: object | undefined;

/** Checks that features can be parsed as specs say. Throws a {@link UsageError} that names the feature. */
export function checkFeatureSpecs(specs: NonNullable<SequenceSpecs['featureLists']>, what: string, also: readonly string[] = []): void {
  if (checked === specs) return;
  if (!isRecord(specs as unknown))
    throw new UsageError(
      `${what}: ${describe(specs)} was given; specs by the names of features were expected: { x: { dtype: 'float32', shape: [] } }.`,
    );
  for (const key of Object.keys(specs)) {
    const spec = specs[key]!;
    if (isPlain(spec)) continue;
    if (!isRecord(spec as unknown)) throw new UsageError(`Feature ${key}: the spec is ${describe(spec)}; { dtype, shape } was expected.`);
    const { shape, allowMissing } = spec as FeatureListSpec;
    const dtype: unknown = spec.dtype;
    if (!dtypes.includes(dtype)) {
      const wide = dtype === 'int64' ? ' int64 features are read as int32.' : dtype === 'float' ? ' float features are float32.' : '';
      throw new UsageError(`Feature ${key} has the dtype ${JSON.stringify(dtype)}; expected ${dtypes.join(', ')}.${wide}`);
    }
    checkRules(key, spec, ['dtype', 'shape', 'default', ...also]);
    if (shape !== undefined && !(Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0)))
      throw new UsageError(`Feature ${key}: shape is ${JSON.stringify(shape)}; a list of whole numbers was expected, [] for one value.`);
    if (allowMissing === true && shape === undefined) throw new UsageError(`Feature list ${key}: allowMissing needs a shape.`);
  }
  checked = specs;
}

const plain = new Set(['dtype', 'shape', 'min', 'max']);

/** Whether there is nothing wrong with a spec at first sight: specs that are written where they are used are looked at for every record. */
function isPlain(spec: FeatureListSpec): boolean {
  if (typeof spec !== 'object' || spec === null) return false;
  for (const name in spec) if (!plain.has(name)) return false;
  const { dtype, shape, min = -Infinity, max = Infinity } = spec;
  if (!dtypes.includes(dtype) || !(min <= max) || typeof min !== 'number' || typeof max !== 'number') return false;
  if (shape === undefined) return true;
  if (!Array.isArray(shape)) return false;
  for (const axis of shape) if (!(Number.isSafeInteger(axis) && axis >= 0)) return false;
  return true;
}

/** The same for the features and feature lists of sequences. */
export function checkSequenceSpecs(specs: SequenceSpecs, what: string): void {
  if (checkedSequence === specs) return;
  if (!isRecord(specs as unknown)) throw new UsageError(`${what}: ${describe(specs)} was given; { context, featureLists } was expected.`);
  const odd = Object.keys(specs).find((name) => name !== 'context' && name !== 'featureLists');
  if (odd !== undefined) throw new UsageError(`${what}: specs has ${odd}; { context, featureLists } was expected.`);
  checkFeatureSpecs(specs.context ?? {}, `${what}: context`);
  checkFeatureSpecs(specs.featureLists ?? {}, `${what}: featureLists`, ['allowMissing']);
  checkedSequence = specs;
}
