import { DataError } from '../../errors.js';
import { utf8Text } from '../files/index.js';
import { NDArray, shapeSize } from '../ndarray.js';
import { firstBroken, wrongNumber, type ValueRules } from '../value-rules.js';
import { checkFeatureSpecs } from './check-specs.js';
import { decodeExample, type Example, type Feature } from './example.js';

/** What a feature shall become, and what its numbers must be. */
export interface FeatureSpec extends ValueRules {
  /** `float32` and `int32` become arrays, `string` and `bytes` lists of values (one value for shape `[]`). */
  readonly dtype: 'float32' | 'int32' | 'string' | 'bytes';
  /** Shape of every example's value; left out: one axis as long as the example's list. */
  readonly shape?: readonly number[];
  /** Value of an example without this feature; left out: such an example is an error. */
  readonly default?: number | string | Uint8Array;
}

type ValueOf<S extends FeatureSpec> = S['dtype'] extends 'float32'
  ? NDArray<'float32'>
  : S['dtype'] extends 'int32'
    ? NDArray<'int32'>
    : (S['dtype'] extends 'string' ? string : Uint8Array) extends infer V
      ? S['shape'] extends readonly []
        ? V
        : V[]
      : never;

/** The values of an example under a spec. */
export type ParsedExample<S> = { -readonly [K in keyof S]: S[K] extends FeatureSpec ? ValueOf<S[K]> : never };

/** Decodes an encoded example to the features of `specs`. Throws a {@link DataError} that names the feature at fault. */
export function parseExample<const S extends Readonly<Record<string, FeatureSpec>>>(bytes: Uint8Array, specs: S): ParsedExample<S> {
  checkFeatureSpecs(specs, 'parseExample: specs');
  const example = decodeExample(bytes);
  return parseFeatures(example, specs);
}

/** The features of `specs` out of a decoded example. */
export function parseFeatures<S extends Readonly<Record<string, FeatureSpec>>>(example: Example, specs: S): ParsedExample<S> {
  return Object.fromEntries(
    Object.entries(specs).map(([key, spec]) => [key, parseFeature(key, spec, example.get(key))]),
  ) as ParsedExample<S>;
}

const kinds = { float32: 'float', int32: 'int64', string: 'bytes', bytes: 'bytes' } as const;

/** The value of one feature. Throws a {@link DataError} that names it. */
export function parseFeature(key: string, spec: FeatureSpec, feature: Feature | undefined): unknown {
  const { dtype, shape } = spec;
  const missing = feature === undefined || feature.values.length === 0;
  if (missing && spec.default === undefined && (feature === undefined || (shape !== undefined && shapeSize(shape) > 0))) {
    throw new DataError(`Feature ${key} is missing from an example; give its spec a default if that is allowed.`);
  }
  if (!missing && feature.kind !== kinds[dtype]) {
    throw new DataError(`Feature ${key} holds ${feature.kind} values, but its spec says ${dtype}.`);
  }
  const own: readonly unknown[] | Float32Array = missing ? [] : feature.values;
  const values = missing && spec.default !== undefined ? new Array<unknown>(shapeSize(shape ?? [1])).fill(spec.default) : own;
  const size = values.length;
  const actual = shape ?? [size];
  if (shapeSize(actual) !== size) {
    throw new DataError(`Feature ${key} has ${size} values, but its spec's shape [${actual.join(', ')}] takes ${shapeSize(actual)}.`);
  }
  if (dtype === 'float32' || dtype === 'int32') {
    const data =
      dtype === 'float32' ? Float32Array.from(values as Float32Array) : Int32Array.from(values as number[], (v) => int32(key, v));
    const broken = firstBroken(data, dtype, spec);
    if (broken >= 0) throw new DataError(`Feature ${key}: the value${size > 1 ? ` ${broken}` : ''} ${wrongNumber(data[broken]!, spec)}.`);
    return new NDArray(data as Float32Array, actual, dtype as 'float32');
  }
  const items = Array.from(values as (Uint8Array | string)[], (value) => {
    if (dtype === 'bytes') return typeof value === 'string' ? new TextEncoder().encode(value) : value;
    if (typeof value === 'string') return value;
    const text = utf8Text(value);
    if (text === undefined) throw new DataError(`Feature ${key} holds bytes that are no UTF-8 text; read it as bytes.`);
    return text;
  });
  return actual.length === 0 ? items[0] : items;
}

function int32(key: string, value: number | bigint): number {
  const number = Number(value);
  if (number !== (number | 0)) throw new DataError(`Feature ${key} holds ${value}, which does not fit into int32.`);
  return number;
}
