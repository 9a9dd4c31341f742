"""Writes more small files of tests/fixtures/data with independent writers: pyarrow, fastparquet, polars, pandas, numpy, Pillow, soundfile,
tokenizers, zstandard; what they hold, as those packages read it, in formats.json. Run: python scripts/make-format-fixtures.py
(pip install those packages first). With the command line argument `tensorflow` it writes the record files instead."""

import datetime
import decimal
import gzip
import io
import json
import os
import struct
import sys

import numpy as np

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "data")


def out(name):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def records():
    """tf.train.Examples by TensorFlow: plain and gzip, and what its own parser makes of them."""
    import tensorflow as tf

    examples = [
        {"x": [float(i), -i / 4], "label": [i % 3 - 1], "name": [f"é{i}".encode()], "many": list(range(i))} for i in range(7)
    ] + [{"x": [1e-30, 3.5e38 / 2], "label": [2**31 - 1], "name": [b"\xff\x00raw"], "many": [-(2**31)]}]

    def feature(values):
        if isinstance(values[0] if values else 0, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        if isinstance(values[0] if values else 0, float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    serialized = [
        tf.train.Example(features=tf.train.Features(feature={key: feature(values) for key, values in example.items()})).SerializeToString(deterministic=True)
        for example in examples
    ]
    for name, compression in [("examples.tfrecord", ""), ("examples.tfrecord.gz", "GZIP")]:
        with tf.io.TFRecordWriter(out(name), tf.io.TFRecordOptions(compression_type=compression)) as writer:
            for one in serialized:
                writer.write(one)
    spec = {
        "x": tf.io.FixedLenFeature([2], tf.float32),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "name": tf.io.FixedLenFeature([], tf.string),
        "many": tf.io.VarLenFeature(tf.int64),
        "absent": tf.io.FixedLenFeature([], tf.float32, default_value=0.5),
    }
    parsed = [tf.io.parse_single_example(one, spec) for one in serialized]
    expected = [
        {
            "x": p["x"].numpy().tolist(),
            "label": int(p["label"]),
            "name": p["name"].numpy().hex(),
            "many": tf.sparse.to_dense(p["many"]).numpy().tolist(),
            "absent": float(p["absent"]),
            "bytes": one.hex(),
        }
        for p, one in zip(parsed, serialized)
    ]
    with open(out("examples.json"), "w") as f:
        json.dump(expected, f)


if sys.argv[1:] == ["tensorflow"]:
    records()
    sys.exit()

import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import tokenizers
import zstandard
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

expected = {}

# Arrow with each codec: buffers of more than one block, a column of categories, missing values.
N = 20000
wide = pd.DataFrame(
    {
        "n": np.arange(N, dtype=np.int32) // 100 * 3,
        "f": (np.arange(N) % 50).astype(np.float64) / 8,
        "kind": pd.Categorical([["red", "green", "blue"][i // 500 % 3] for i in range(N)]),
        "word": [f"word {i // 1000}" for i in range(N)],
    }
)
table = pa.Table.from_pandas(wide, preserve_index=False)
for codec in ["lz4", "zstd"]:
    with pa.OSFile(out(f"wide-{codec}.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=8000)
sample = wide.iloc[[0, 7999, 8000, 19999]]
expected["wide"] = {"rows": N, "sum": float(wide["n"].sum()), "sample": sample.astype({"kind": str}).to_dict("records")}

# Parquet by other writers and with other encodings.
plain = pd.DataFrame({"i": np.arange(12, dtype=np.int64) - 5, "x": np.arange(12) / 4 - 1, "s": [f"t{i % 4}é" for i in range(12)], "b": np.arange(12) % 2 == 0})
plain.to_parquet(out("fastparquet.parquet"), engine="fastparquet", compression="GZIP", index=False, row_group_offsets=5)
polars.from_pandas(plain).write_parquet(out("polars.parquet"), compression="lz4", row_group_size=5)
encoded = pa.Table.from_pandas(plain, preserve_index=False)
pq.write_table(
    encoded,
    out("encodings.parquet"),
    use_dictionary=False,
    column_encoding={"i": "DELTA_BINARY_PACKED", "x": "BYTE_STREAM_SPLIT", "s": "DELTA_BYTE_ARRAY"},
    compression="brotli",
    data_page_version="2.0",
    row_group_size=5,
)
expected["plain"] = plain.to_dict("records")

# Columns of every kind, those that cannot be read as numbers or texts too, with missing values.
kinds = pa.table(
    {
        "id": pa.array([2**40, None, 3], pa.int64()),
        "time": pa.array([datetime.datetime(2024, 1, 1)] * 3),
        "price": pa.array([decimal.Decimal("1.5")] * 3),
        "flag": pa.array([True, None, False]),
        "nested": pa.array([[[1.0, 2.0], [3.0, 4.0]]] * 3),
        "pair": pa.array([[1, 2]] * 3, pa.list_(pa.int32(), 2)),
        "group": pa.array([{"a": 1}] * 3),
    }
)
pq.write_table(kinds, out("kinds.parquet"))
with pa.OSFile(out("kinds.arrow"), "wb") as sink, pa.ipc.new_file(sink, kinds.schema) as writer:
    writer.write_table(kinds)

# CSV: a byte order mark, CRLF, quotes, line ends in cells, spaces, numbers of every form.
with open(out("odd.csv"), "w", newline="", encoding="utf-8-sig") as f:
    import csv

    writer = csv.writer(f)
    writer.writerow(["a b", "number", 'quo"te', ""])
    for i, number in enumerate(["1e3", "-0.5E-2", "+7", "0x10", " 12 ", "1_000", "1,5", ".5", "5."]):
        writer.writerow([f"line\r\n{i}", number, '"', "x"])
expected["odd"] = pd.read_csv(out("odd.csv"), dtype=str, keep_default_na=False, encoding="utf-8-sig").values.tolist()

# IDX: every type, plain, gzip and zstd.
idx = {}
for code, dtype in [(0x08, "u1"), (0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]:
    values = (np.arange(12).reshape(4, 3) * 2 - (0 if dtype == "u1" else 9)).astype(dtype)
    content = struct.pack(">BBBB", 0, 0, code, 2) + struct.pack(">II", 4, 3) + values.tobytes()
    name = f"idx/{dtype.strip('>')}.idx"
    open(out(name), "wb").write(content)
    idx[name] = values.astype(float).ravel().tolist()
    if dtype == ">i2":
        open(out(name + ".gz"), "wb").write(gzip.compress(content, mtime=1))
        open(out(name + ".zst"), "wb").write(zstandard.ZstdCompressor().compress(content))
        idx[name + ".gz"] = idx[name + ".zst"] = idx[name]
expected["idx"] = idx

# Sound in the extensible form of the header, as Python's readers see it.
ramp = np.stack([np.linspace(-1, 1, 9)[:-1], np.linspace(0.5, -0.5, 9)[:-1], np.zeros(8)], -1)
for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]:
    soundfile.write(out(f"extensible-{subtype.lower()}.wav"), ramp, 44100, subtype=subtype, format="WAVEX")
expected["sound"] = {
    subtype.lower(): soundfile.read(out(f"extensible-{subtype.lower()}.wav"), dtype="float32")[0].tolist()
    for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]
}

# Tokenizers of each model, learnt from a short text; what the package makes of others.
text = ["The cat sat on the mat, the rat sat on the cat.", "Naïve café: déjà vu! 東京 is far; numbers 12345 and 3.14.", "hello hello world — don't stop"] * 4
samples = [
    "The cat sat.", "naïve CAFÉ déjà", "unseen words: zebra, 東京, 日本", "  leading and   many spaces\n\tlines", "don't 12345 3.14!", "", "<eos>hello<eos> world", "emoji 😀 end", "ﬁ ligature Å",
]  # fmt: skip
special = ["<unk>", "<eos>", "[CLS]", "[SEP]"]


def byte_level():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    return made, trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)


def word_piece():
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    return made, trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False)


def unigram():
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return made, trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)


expected["tokenizers"] = {}
for name, make in [("byte-level", byte_level), ("word-piece", word_piece), ("unigram", unigram)]:
    made, trainer = make()
    made.train_from_iterator(text, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", made.token_to_id("[CLS]")), ("[SEP]", made.token_to_id("[SEP]"))]
    )
    made.save(out(f"tokenizer-{name}.json"), pretty=False)
    cases = []
    for one in samples:
        ids = made.encode(one, add_special_tokens=False).ids
        cases.append({"text": one, "ids": ids, "special": made.encode(one).ids, "decoded": made.decode(ids)})
    expected["tokenizers"][name] = {"size": made.get_vocab_size(), "cases": cases}

with open(out("formats.json"), "w") as f:
    json.dump(expected, f, ensure_ascii=False)
