"""Records what the input reader of Model Garden gives where its order is fixed, and what its helpers compute and refuse, in
tests/fixtures/data/input-reader.json. Run: python scripts/make-input-reader-fixtures.py (pip install tf-models-official first)."""

import importlib
import json
import os
import sys
import tempfile
import types

import official.core
import tensorflow as tf
from official.common import dataset_fn
from official.core import config_definitions, file_writers, input_reader, tf_example_builder

for name in ["official.vision", "official.vision.dataloaders"]:  # without their packages' other needs
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(os.path.dirname(official.core.__path__[0]), *name.split(".")[1:])]
    sys.modules[name] = module
vision_reader = importlib.import_module("official.vision.dataloaders.input_reader")

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "data", "input-reader.json")
FILES = {"a": list(range(0, 5)), "b": list(range(10, 13)), "c": list(range(20, 27)), "d": [30]}

folder = tempfile.mkdtemp()
for name, numbers in FILES.items():
    with tf.io.TFRecordWriter(os.path.join(folder, f"part-{name}")) as writer:
        for number in numbers:
            writer.write(str(number).encode())
open(os.path.join(folder, "empty.txt"), "w").close()


def read(config, pipelines=None):
    params = config_definitions.DataConfig(**{**config, "input_path": expand(config["input_path"])})
    reader = input_reader.InputReader(params, dataset_fn=tf.data.TFRecordDataset, parser_fn=lambda record: tf.strings.to_number(record, tf.int32))
    contexts = [None] if pipelines is None else [tf.distribute.InputContext(pipelines[0], i, pipelines[1]) for i in range(pipelines[0])]
    return [[batch.numpy().tolist() for batch in reader.read(context)] for context in contexts]


def expand(path):
    if isinstance(path, list):
        return [expand(one) for one in path]
    return ",".join(os.path.join(folder, part.strip()) if part.strip() else part for part in path.split(","))


base = {"is_training": False, "global_batch_size": 4, "drop_remainder": False}
reads = [
    ("one file", {**base, "input_path": "part-c"}, None),
    ("drop remainder", {**base, "input_path": "part-c", "drop_remainder": True}, None),
    ("files in turn", {**base, "input_path": "part-a,part-b,part-c", "cycle_length": 2, "block_length": 1}, None),
    ("files in turn, in blocks", {**base, "input_path": "part-a,part-b,part-c,part-d", "cycle_length": 3, "block_length": 2}, None),
    ("files one by one", {**base, "input_path": ["part-c", "part-a , ,part-d"], "cycle_length": 1}, None),
    ("files listed twice", {**base, "input_path": "part-d,part-b,part-d", "cycle_length": 1}, None),
    ("records shared by pipelines", {**base, "input_path": "part-c", "global_batch_size": 2}, (2, 1)),
    ("fewer files than pipelines", {**base, "input_path": "part-a,part-b", "global_batch_size": 3}, (3, 1)),
    ("files shared by pipelines", {**base, "input_path": "part-a,part-b,part-c,part-d", "cycle_length": 2, "global_batch_size": 4}, (2, 1)),
    ("no sharding", {**base, "input_path": "part-a,part-b", "cycle_length": 1, "sharding": False, "global_batch_size": 4}, (2, 1)),
    ("batch shared by replicas", {**base, "input_path": "part-c", "global_batch_size": 6}, (1, 3)),
    ("cached", {**base, "input_path": "part-b", "cache": True}, None),
]
recorded = [{"name": name, "config": config, "pipelines": pipelines, "batches": read(config, pipelines)} for name, config, pipelines in reads]


def error_of(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001: what is recorded is its class
        return type(error).__name__
    return None


def construct(**config):
    params = config_definitions.DataConfig(**config)
    return lambda: input_reader.InputReader(params, dataset_fn=tf.data.TFRecordDataset)


refused = {
    "path and name": error_of(construct(input_path=os.path.join(folder, "part-a"), tfds_name="mnist", tfds_split="train")),
    "neither path nor name": error_of(construct()),
    "pattern without matches": error_of(construct(input_path=os.path.join(folder, "none-*"))),
    "only commas": error_of(construct(input_path=" , ,")),
    "batch that replicas cannot share": error_of(lambda: read({**base, "input_path": "part-c", "global_batch_size": 4}, (1, 3))),
    "file type": error_of(lambda: dataset_fn.pick_dataset_fn("recordio")),
    "type to write": error_of(lambda: file_writers.write_small_dataset([], os.path.join(folder, "x"), "csv")),
}


def sizes(*args):
    try:
        return list(vision_reader.calculate_batch_sizes(*args))
    except ValueError:
        return "ValueError"


arguments = [(total, ratio, size) for total in (-1, 0, 1, 7, 64, 100) for ratio in (-1.0, 0.0, 0.3, 1.0, 7.0) for size in (-1, 0, 5, 64, 101)]
batch_sizes = [{"arguments": list(one), "sizes": sizes(*one)} for one in arguments]

builder = tf_example_builder.TfExampleBuilder()
steps = []
for method, *args in [
    ("add_bytes_feature", "b", "text é"),
    ("add_bytes_feature", "bs", ["one", "two"]),
    ("add_ints_feature", "i", 7),
    ("add_ints_feature", "is", [-1, 2**40, 0]),
    ("add_floats_feature", "f", 0.1),
    ("add_floats_feature", "fs", [1.5, -2.0]),
    ("add_ints_feature", "i", [8, 9]),
]:
    getattr(builder, method)(*args)
    steps.append({"method": method, "arguments": args, "bytes": builder.example.SerializeToString(deterministic=True).hex()})

written = {}
for kind in ["tfrecord", "TFRecords", "tfrecord_compressed", "tfrecords_gzip"]:
    path = os.path.join(folder, "written")
    file_writers.write_small_dataset([builder.example], path, kind)
    with open(path, "rb") as f:
        content = f.read()
    count = sum(1 for _ in tf.data.TFRecordDataset(path, "GZIP" if content[:2] == b"\x1f\x8b" else ""))
    written[kind] = {"gzip": content[:2] == b"\x1f\x8b", "records": count}

with open(OUT, "w") as f:
    json.dump({"files": FILES, "reads": recorded, "refused": refused, "batch_sizes": batch_sizes, "builder": steps, "written": written}, f, ensure_ascii=False)
