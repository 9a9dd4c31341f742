import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import { decodeFeature, eachField, encodeFeature, notAnExample, readEntry, writeFeatures } from './example-wire.js';
import type { Example, Feature } from './feature.js';

/**
 * `tf.train.SequenceExample`: features of a whole sequence, and lists of features with one per step. On the wire:
 * SequenceExample { Features context = 1, FeatureLists feature_lists = 2 }, FeatureLists { map<string, FeatureList> feature_list = 1 },
 * FeatureList { repeated Feature feature = 1 }.
 */
export interface SequenceExample {
  /** Features of the whole sequence. */
  readonly context: Example;
  /** By key, a feature for every step. */
  readonly featureLists: Map<string, readonly Feature[]>;
}

/** The bytes of a sequence example. Keys are sorted, so that equal examples have equal bytes. */
export function encodeSequenceExample({ context, featureLists }: SequenceExample): Uint8Array {
  const writer = new BinaryWriter();
  if (context.size > 0) writeFeatures(writer, context);
  if (featureLists.size > 0) {
    writer.tag(2, WireType.LengthDelimited).fork();
    for (const key of [...featureLists.keys()].sort()) {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(key);
      writer.tag(2, WireType.LengthDelimited).fork();
      for (const feature of featureLists.get(key)!) encodeFeature(writer, 1, feature);
      writer.join().join();
    }
    writer.join();
  }
  return writer.finish();
}

const utf8 = new TextDecoder();

/** Reads the bytes of a sequence example. Throws a {@link DataError} where they are none. */
export function decodeSequenceExample(bytes: Uint8Array): SequenceExample {
  const context: Example = new Map();
  const featureLists = new Map<string, readonly Feature[]>();
  try {
    const reader = new BinaryReader(bytes);
    eachField(reader, bytes.length, (field, end) => {
      if (field === 1) eachField(reader, end, (entry, entryEnd) => (entry === 1 ? readEntry(bytes, reader, entryEnd, context) : undefined));
      if (field === 2)
        eachField(reader, end, (entry, entryEnd) => (entry === 1 ? readSteps(bytes, reader, entryEnd, featureLists) : undefined));
    });
  } catch (error) {
    throw notAnExample('tf.train.SequenceExample', error);
  }
  return { context, featureLists };
}

function readSteps(bytes: Uint8Array, reader: BinaryReader, end: number, lists: Map<string, readonly Feature[]>): void {
  let key = '';
  const steps: Feature[] = [];
  eachField(reader, end, (field, fieldEnd) => {
    if (field === 1) key = utf8.decode(bytes.subarray(reader.pos, fieldEnd));
    if (field === 2)
      eachField(reader, fieldEnd, (step, stepEnd) => (step === 1 ? void steps.push(decodeFeature(bytes, reader, stepEnd)) : undefined));
  });
  lists.set(key, steps);
}

/** Whether an encoded example has lists of features, as only a `tf.train.SequenceExample` does. */
export function hasFeatureLists(bytes: Uint8Array): boolean {
  let found = false;
  try {
    eachField(new BinaryReader(bytes), bytes.length, (field) => void (found ||= field === 2));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return false;
  }
  return found;
}
