import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { encodeSequenceExample, TfExampleBuilder, writeSmallDataset, writeTfRecords } from '../index.js';

/** A Python with TensorFlow: that of ORBIT_PYTHON, else the one on the path. */
const python = [process.env['ORBIT_PYTHON'], 'python3'].find(
  (candidate) =>
    candidate !== undefined &&
    spawnSync(candidate, ['-c', 'import importlib.util, sys; sys.exit(importlib.util.find_spec("tensorflow") is None)']).status === 0,
);

const PROGRAM = `
import json, sys
import tensorflow as tf
folder = sys.argv[1]
spec = {"x": tf.io.FixedLenFeature([2], tf.float32), "label": tf.io.FixedLenFeature([], tf.int64), "name": tf.io.FixedLenFeature([], tf.string)}
result = {}
for name, compression in [("plain", ""), ("packed", "GZIP")]:
    rows = [tf.io.parse_single_example(record, spec) for record in tf.data.TFRecordDataset(f"{folder}/{name}", compression)]
    result[name] = [[row["x"].numpy().tolist(), int(row["label"]), row["name"].numpy().decode()] for row in rows]
steps = {"frame": tf.io.FixedLenSequenceFeature([], tf.float32)}
context = {"id": tf.io.FixedLenFeature([], tf.int64)}
parsed = [tf.io.parse_single_sequence_example(record, context, steps) for record in tf.data.TFRecordDataset(f"{folder}/sequences")]
result["sequences"] = [[int(c["id"]), s["frame"].numpy().tolist()] for c, s in parsed]
print(json.dumps(result))
`;

it.skipIf(python === undefined)(
  'writes record files that TensorFlow reads: plain, gzip, sequences (needs a Python with tensorflow: ORBIT_PYTHON, or python3 on the path)',
  () => check(python!),
  120_000,
);

async function check(interpreter: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'orbit-to-tf-'));
  try {
    const rows = Array.from({ length: 20 }, (_, i): [number[], number, string] => [
      [i / 4, -i],
      i % 2 === 0 ? 5 - i : 2 ** 40 + i,
      `né ${i}`,
    ]);
    const examples = rows.map(([x, label, name]) => new TfExampleBuilder().addFloatsFeature('x', x).addIntsFeature('label', label).addBytesFeature('name', name)); // prettier-ignore
    await writeSmallDataset(examples, join(folder, 'plain'));
    await writeSmallDataset(examples, join(folder, 'packed'), 'tfrecord_compressed');
    const sequences = Array.from({ length: 4 }, (_, i): [number, number[]] => [i, Array.from({ length: i }, (_, t) => t + 0.5)]);
    await writeTfRecords(
      join(folder, 'sequences'),
      sequences.map(([id, frames]) =>
        encodeSequenceExample({
          context: new Map([['id', { kind: 'int64', values: [id] }]]),
          featureLists: new Map([['frame', frames.map((value) => ({ kind: 'float' as const, values: Float32Array.of(value) }))]]),
        }),
      ),
    );
    const { stdout, stderr } = spawnSync(interpreter, ['-c', PROGRAM, folder], { encoding: 'utf8' });
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({ plain: rows, packed: rows, sequences });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
