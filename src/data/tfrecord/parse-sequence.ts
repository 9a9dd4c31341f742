import { DataError } from '../../errors.js';
import { NDArray } from '../ndarray.js';
import { stack } from '../structure.js';
import { checkSequenceSpecs } from './check-specs.js';
import type { Feature } from './example.js';
import { parseFeature, parseFeatures, type FeatureSpec, type ParsedExample } from './parse.js';
import { decodeSequenceExample } from './sequence-example.js';

/** What a list of features shall become: `dtype`, `shape` and rules are those of one step; `default` stands for steps without a value. */
export interface FeatureListSpec extends FeatureSpec {
  /** Whether an example without this list has one of no steps; default false: it is an error. Needs a `shape`. */
  readonly allowMissing?: boolean;
}

type StepsOf<S extends FeatureListSpec> = S['dtype'] extends 'float32'
  ? NDArray<'float32'>
  : S['dtype'] extends 'int32'
    ? NDArray<'int32'>
    : (S['dtype'] extends 'string' ? string : Uint8Array) extends infer V
      ? S['shape'] extends readonly []
        ? V[]
        : V[][]
      : never;

/** What to read from sequence examples. */
export interface SequenceSpecs {
  /** Features of the whole sequence; left out: none. */
  readonly context?: Readonly<Record<string, FeatureSpec>>;
  /** Lists of features, with one per step; left out: none. */
  readonly featureLists?: Readonly<Record<string, FeatureListSpec>>;
}

/** The values of a sequence example under specs: arrays of feature lists have the steps as their first axis. */
export interface ParsedSequenceExample<S extends SequenceSpecs> {
  /** Features of the whole sequence. */
  readonly context: ParsedExample<S['context'] extends object ? S['context'] : Record<never, never>>;
  /** Per list, an array [steps, ...shape], or a list of the steps' texts or bytes. */
  readonly featureLists: {
    -readonly [K in keyof (S['featureLists'] extends object ? S['featureLists'] : Record<never, never>)]: NonNullable<S['featureLists']>[K &
      string] extends infer F extends FeatureListSpec
      ? StepsOf<F>
      : never;
  };
}

/** Decodes an encoded `tf.train.SequenceExample`. Throws a {@link DataError} that names the feature, and the step, at fault. */
export function parseSequenceExample<const S extends SequenceSpecs>(bytes: Uint8Array, specs: S): ParsedSequenceExample<S> {
  checkSequenceSpecs(specs, 'parseSequenceExample');
  const { context, featureLists } = decodeSequenceExample(bytes);
  return {
    context: parseFeatures(context, specs.context ?? {}),
    featureLists: Object.fromEntries(
      Object.entries(specs.featureLists ?? {}).map(([key, spec]) => [key, parseSteps(key, spec, featureLists.get(key))]),
    ),
  } as ParsedSequenceExample<S>;
}

function parseSteps(key: string, spec: FeatureListSpec, steps: readonly Feature[] | undefined): unknown {
  if (steps === undefined && !(spec.allowMissing ?? false)) {
    throw new DataError(`Feature list ${key} is missing from an example; give its spec allowMissing: true if that is allowed.`);
  }
  const { dtype, shape } = spec;
  const values = (steps ?? []).map((step, t) => parseFeature(`${key}, step ${t}`, spec, step));
  if (dtype === 'string' || dtype === 'bytes') return values;
  const arrays = values as NDArray[];
  const [first] = arrays;
  if (first === undefined) {
    const data = dtype === 'float32' ? new Float32Array(0) : new Int32Array(0);
    return new NDArray(data as Float32Array, [0, ...(shape ?? [])], dtype as 'float32');
  }
  const odd = arrays.findIndex((array) => array.size !== first.size);
  if (odd >= 0) {
    throw new DataError(
      `Feature list ${key} has ${first.size} values in step 0, but ${arrays[odd]!.size} in step ${odd}; steps of one length were expected.`,
    );
  }
  return stack(arrays);
}
