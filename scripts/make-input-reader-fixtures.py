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


def combined(ratio, size, pseudo_size, pipelines=(1, 1), drop_remainder=True):
    params = config_definitions.DataConfig(**{**base, "input_path": expand("part-c"), "global_batch_size": size, "cycle_length": 2, "drop_remainder": drop_remainder})
    params.pseudo_label_data = config_definitions.DataConfig(input_path=expand("part-a,part-b"), global_batch_size=pseudo_size)
    params.pseudo_label_data._set("data_ratio", ratio)
    reader = vision_reader.CombinationDatasetInputReader(
        params,
        dataset_fn=tf.data.TFRecordDataset,
        pseudo_label_dataset_fn=tf.data.TFRecordDataset,
        parser_fn=lambda record: tf.strings.to_number(record, tf.int32),
        postprocess_fn=lambda batch: batch + 1000,
    )
    return [[batch.numpy().tolist() for batch in reader.read(tf.distribute.InputContext(pipelines[0], i, pipelines[1]))] for i in range(pipelines[0])]


def mixing(input_path, weights):
    params = config_definitions.DataConfig(input_path=input_path)
    params._set("weights", weights)
    return vision_reader.create_combine_fn(params)


refused = {
    "path and name": error_of(construct(input_path=os.path.join(folder, "part-a"), tfds_name="mnist", tfds_split="train")),
    "neither path nor name": error_of(construct()),
    "name without split": error_of(construct(tfds_name="mnist")),
    "named files without combine_fn": error_of(construct(input_path={"x": os.path.join(folder, "part-a")})),
    "path that is no text": error_of(lambda: input_reader.match_files([os.path.join(folder, "part-a"), 1])),
    "nothing to read": error_of(lambda: construct(tfds_split="train")().read()),
    "pattern without matches": error_of(construct(input_path=os.path.join(folder, "none-*"))),
    "only commas": error_of(construct(input_path=" , ,")),
    "batch that replicas cannot share": error_of(lambda: read({**base, "input_path": "part-c", "global_batch_size": 4}, (1, 3))),
    "mixing without mappings": error_of(lambda: mixing("part-a", {"x": 1.0})),
    "mixing with too few weights": error_of(lambda: mixing({"x": "a", "y": "b"}, {"x": 1.0})),
    "mixing with another weight": error_of(lambda: mixing({"x": "a", "y": "b"}, {"x": 1.0, "z": 1.0})),
    "combining with a remainder": error_of(lambda: combined(1.0, 4, 0, drop_remainder=False)),
    "combining without labeled data": error_of(lambda: combined(-1.0, 4, 4)),
    "combining a negative total": error_of(lambda: vision_reader.calculate_batch_sizes(-1, 1.0, 0)),
    "file type": error_of(lambda: dataset_fn.pick_dataset_fn("recordio")),
    "type to write": error_of(lambda: file_writers.write_small_dataset([], os.path.join(folder, "x"), "csv")),
}


def sizes(*args):
    try:
        return list(vision_reader.calculate_batch_sizes(*args))
    except ValueError:
        return "ValueError"


combinations = []
for ratio, size, pseudo_size, pipelines in [(1.0, 4, 0, (1, 1)), (0.5, 3, 0, (1, 1)), (-1.0, 3, 2, (1, 1)), (1.0, 4, 0, (1, 2)), (1.0, 2, 0, (2, 1))]:
    combinations.append({"ratio": ratio, "size": size, "pseudo_size": pseudo_size, "pipelines": pipelines, "batches": combined(ratio, size, pseudo_size, pipelines)})

# Names within a folder, without the folder; the original gives them in the order of the file system.
patterns = {}
for pattern in ["part-*", "part-[ab]*", "part-[!a]*", "part-?", "*-a", "*", "p[*", "part-{a,b}*", "./part-d , part-*"]:
    try:
        found = input_reader.match_files(",".join(os.path.join(folder, part.strip()) for part in pattern.split(",")))
        patterns[pattern] = sorted(os.path.relpath(one, folder) for one in found)
    except ValueError:
        patterns[pattern] = "ValueError"

# Weights of mixed sources: the share of each in many draws.
draws = vision_reader.build_weighted_sampling_combine_fn({"x": 3.0, "y": 1.0})({"x": tf.data.Dataset.from_tensors(0).repeat(), "y": tf.data.Dataset.from_tensors(1).repeat()})
share = sum(int(d) for d in draws.take(20000)) / 20000

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
    recording = {"files": FILES, "reads": recorded, "combinations": combinations, "patterns": patterns, "share": share, "refused": refused}
    json.dump({**recording, "batch_sizes": batch_sizes, "builder": steps, "written": written}, f, ensure_ascii=False)
