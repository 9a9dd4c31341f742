"""Writes sequence examples with TensorFlow to tests/fixtures/data, plain and, with the command `zstd`, compressed.
Run: python scripts/make-sequence-fixtures.py (pip install tensorflow first)."""

import json
import os
import subprocess

import tensorflow as tf

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "data")
path = os.path.join(OUT, "sequences.tfrecord")


def feature(values):
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


expected = []
with tf.io.TFRecordWriter(path) as writer:
    for i in range(6):
        steps = i % 4  # none, one, two, three
        context = {"id": [i], "name": [f"é{i}".encode()]}
        lists = {"frame": [[i + 0.5, t / 4] for t in range(steps)], "token": [[t - 1] for t in range(steps)], "word": [[f"w{t}".encode()] for t in range(steps)]}
        message = tf.train.SequenceExample(
            context=tf.train.Features(feature={key: feature(values) for key, values in context.items()}),
            feature_lists=tf.train.FeatureLists(
                feature_list={key: tf.train.FeatureList(feature=[feature(values) for values in steps]) for key, steps in lists.items()}
            ),
        )
        serialized = message.SerializeToString(deterministic=True)
        writer.write(serialized)
        # What TensorFlow's own parser makes of it.
        parsed, sequences = tf.io.parse_single_sequence_example(
            serialized,
            {"id": tf.io.FixedLenFeature([], tf.int64), "name": tf.io.FixedLenFeature([], tf.string)},
            {
                "frame": tf.io.FixedLenSequenceFeature([2], tf.float32),
                "token": tf.io.FixedLenSequenceFeature([], tf.int64),
                "word": tf.io.FixedLenSequenceFeature([], tf.string),
            },
        )
        expected.append(
            {
                "id": int(parsed["id"]),
                "name": parsed["name"].numpy().decode(),
                "frame": sequences["frame"].numpy().tolist(),
                "token": sequences["token"].numpy().tolist(),
                "word": [word.decode() for word in sequences["word"].numpy().tolist()],
                "bytes": serialized.hex(),
            }
        )
json.dump(expected, open(os.path.join(OUT, "sequences.json"), "w"), ensure_ascii=False)
subprocess.run(["zstd", "-q", "-f", path], check=True)
