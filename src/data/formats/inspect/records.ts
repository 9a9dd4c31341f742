import { detectCompression } from '../../files/index.js';
import { DataError } from '../../../errors.js';
import {
  decodeExample,
  decodeSequenceExample,
  hasFeatureLists,
  recordsOf,
  type Example,
  type Feature,
  type SequenceExample,
} from '../../tfrecord/index.js';
import { countAll, type Found } from './summary.js';

/** Records from which the features are told. */
const TOLD_FROM = 100;

/** Record files: their `tf.train.Example`s or `tf.train.SequenceExample`s, or what else they hold. */
export async function inspectRecords(files: readonly string[], rows: number): Promise<Found> {
  const compression = await detectCompression(files[0]!);
  const { records, first } = await countAll(recordsOf(files, { compression }), Math.max(rows, TOLD_FROM));
  const examples = decode(first as Uint8Array[]);
  if (examples === undefined) {
    return { schema: [{ name: 'record', type: 'bytes that are no tf.train.Example' }], records, first: first.slice(0, rows) };
  }
  return {
    schema: [...features(examples.map(({ context }) => context)), ...lists(examples.map(({ featureLists }) => featureLists))],
    records,
    first: examples.slice(0, rows).map(({ context, featureLists }) => ({
      ...Object.fromEntries([...context].map(([name, feature]) => [name, valuesOf(feature)])),
      ...Object.fromEntries([...featureLists].map(([name, steps]) => [name, steps.map(valuesOf)])),
    })),
  };
}

function decode(records: readonly Uint8Array[]): SequenceExample[] | undefined {
  try {
    if (records.some(hasFeatureLists)) return records.map(decodeSequenceExample);
    return records.map((record) => ({ context: decodeExample(record), featureLists: new Map() }));
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

const valuesOf = ({ values }: Feature): unknown[] => Array.from(values as ArrayLike<unknown>);

interface Seen {
  readonly kinds: Set<string>;
  least: number;
  most: number;
  times: number;
}

function note(found: Map<string, Seen>, name: string, kind: string | undefined, length: number): void {
  const seen = found.get(name) ?? { kinds: new Set(), least: Infinity, most: 0, times: 0 };
  if (kind !== undefined) seen.kinds.add(kind);
  seen.least = Math.min(seen.least, length);
  seen.most = Math.max(seen.most, length);
  seen.times++;
  found.set(name, seen);
}

const extent = ({ least, most }: Seen): string => (least === most ? `${least}` : `${least} to ${most}`);
const sorted = (found: Map<string, Seen>): [string, Seen][] => [...found].sort(([a], [b]) => (a < b ? -1 : 1));
const partly = ({ times }: Seen, of: number): string => (times < of ? ', not in every example' : '');

function features(examples: readonly Example[]): { name: string; type: string }[] {
  const found = new Map<string, Seen>();
  for (const example of examples) for (const [name, { kind, values }] of example) note(found, name, kind, values.length);
  return sorted(found).map(([name, seen]) => ({
    name,
    type: `${[...seen.kinds].join(' or ')}[${extent(seen)}]${partly(seen, examples.length)}`,
  }));
}

function lists(examples: readonly SequenceExample['featureLists'][]): { name: string; type: string }[] {
  const [found, steps] = [new Map<string, Seen>(), new Map<string, Seen>()];
  for (const example of examples) {
    for (const [name, list] of example) {
      note(found, name, undefined, list.length);
      for (const { kind, values } of list) note(steps, name, kind, values.length);
    }
  }
  return sorted(found).map(([name, seen]) => {
    const step = steps.get(name);
    const each = step === undefined ? '' : `, ${[...step.kinds].join(' or ')}[${extent(step)}]`;
    return { name, type: `sequence of ${extent(seen)}${each}${partly(seen, examples.length)}` };
  });
}
