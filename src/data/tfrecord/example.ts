import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

import { UsageError } from '../../errors.js';
import { eachField, notAnExample, readEntry, writeFeatures } from './example-wire.js';
import type { Example, Feature } from './feature.js';

export type { Example, Feature } from './feature.js';

/** The bytes of an example. Keys are sorted, so that equal examples have equal bytes. */
export function encodeExample(example: Example): Uint8Array {
  return example.size === 0 ? new Uint8Array(0) : writeFeatures(new BinaryWriter(), example).finish();
}

/** Reads the bytes of an example. Throws a {@link DataError} where they are none. */
export function decodeExample(bytes: Uint8Array): Example {
  const example: Example = new Map();
  try {
    const reader = new BinaryReader(bytes);
    eachField(reader, bytes.length, (features, end) =>
      features !== 1
        ? undefined
        : eachField(reader, end, (entry, entryEnd) => (entry === 1 ? readEntry(bytes, reader, entryEnd, example) : undefined)),
    );
  } catch (error) {
    throw notAnExample('tf.train.Example', error);
  }
  return example;
}

type Bytes = Uint8Array | string;

/** Builds one `tf.train.Example`, call by call. Adding a key again replaces its feature. */
export class TfExampleBuilder {
  #example: Example;

  constructor(example: Example = new Map()) {
    this.#example = example;
  }

  /** The example itself, not a copy. */
  get example(): Example {
    return this.#example;
  }

  /** The example's bytes; none for an example without features. */
  get serializedExample(): Uint8Array {
    return encodeExample(this.#example);
  }

  /** Replaces the example. */
  set(example: Example): this {
    this.#example = example;
    return this;
  }

  /** Starts again with an example without features. */
  reset(): this {
    return this.set(new Map());
  }

  /** Adds a feature. */
  addFeature(key: string, feature: Feature): this {
    this.#example.set(key, feature);
    return this;
  }

  /** Adds several features. */
  addFeatureDict(features: Readonly<Record<string, Feature>> | ReadonlyMap<string, Feature>): this {
    for (const [key, feature] of features instanceof Map ? features : Object.entries(features)) this.addFeature(key, feature);
    return this;
  }

  /** Adds bytes, or a list of them; strings become UTF-8. Throws a {@link UsageError} for anything else. */
  addBytesFeature(key: string, value: Bytes | readonly Bytes[]): this {
    const list: readonly Bytes[] = typeof value === 'string' || value instanceof Uint8Array ? [value] : value;
    const wrong = Array.isArray(list) ? list.find((item) => typeof item !== 'string' && !(item instanceof Uint8Array)) : list;
    if (wrong !== undefined)
      throw new UsageError(`Feature ${key}: ${String(wrong)} is neither a text nor a Uint8Array, nor a list of them.`);
    return this.addFeature(key, {
      kind: 'bytes',
      values: list.map((item) => (typeof item === 'string' ? new TextEncoder().encode(item) : item)),
    });
  }

  /** Adds one or several integers. Throws a {@link UsageError} for a number that is none. */
  addIntsFeature(key: string, value: number | bigint | ArrayLike<number | bigint>): this {
    const values = typeof value === 'number' || typeof value === 'bigint' ? [value] : Array.from(value);
    const wrong = values.find((item) => (typeof item === 'bigint' ? BigInt.asIntN(64, item) !== item : !Number.isSafeInteger(item)));
    if (wrong !== undefined)
      throw new UsageError(
        `Feature ${key}: ${wrong} is no integer that a number holds exactly; give a whole number, or a bigint of 64 bits.`,
      );
    return this.addFeature(key, { kind: 'int64', values });
  }

  /** Adds one or several numbers as 32-bit floats. Throws a {@link UsageError} for what is no number. */
  addFloatsFeature(key: string, value: number | ArrayLike<number>): this {
    const values = typeof value === 'number' ? [value] : value;
    const wrong = Array.isArray(values) ? values.findIndex((item) => typeof item !== 'number') : -1;
    if (wrong >= 0 || typeof value === 'string')
      throw new UsageError(`Feature ${key}: ${JSON.stringify(wrong >= 0 ? values[wrong] : value)} is no number.`);
    return this.addFeature(key, { kind: 'float', values: Float32Array.from(values) });
  }
}
