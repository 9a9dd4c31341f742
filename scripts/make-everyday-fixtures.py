"""Writes small files as users meet them to tests/fixtures/data/wild, with independent writers (pandas, pyarrow, numpy, safetensors, scipy, wave,
tokenizers, zstandard, gzip), and what those packages read in wild/expected.json.
Run: python scripts/make-everyday-fixtures.py (pip install those packages first)."""

import csv
import decimal
import gzip
import json
import os
import struct
import wave
import zipfile

import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import safetensors.numpy
import scipy.io.wavfile
import tokenizers
import zstandard

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "data", "wild")
os.makedirs(OUT, exist_ok=True)
expected = {}


def out(name):
    return os.path.join(OUT, name)


def put(name, content):
    with open(out(name), "wb") as file:
        file.write(content)


# CSV: what pandas reads from each file with the same settings.
frame = pd.DataFrame(
    {
        "n": [1, -2, 3],
        "x": [1.5e-7, np.inf, -2.25e10],
        "text": ['say "hi"', "two\nlines, and a comma", "ünïcode 東京 😀"],
        "day": ["2024-01-31", "1999-12-31", "2000-02-29"],
        "ok": [True, False, True],
        "large": [10**12, 2**53 - 1, -5],
    }
)
csv_settings = {
    "comma.csv": {},
    "quoted.csv": {"quoting": csv.QUOTE_ALL},
    "semicolon.csv": {"sep": ";"},
    "pipe.csv": {"sep": "|"},
    "tab.tsv": {"sep": "\t"},
    "mark-crlf.csv": {"encoding": "utf-8-sig", "lineterminator": "\r\n"},
    "no-header.csv": {"header": False},
    "gzip.csv.gz": {},
    "zstd.csv.zst": {},
}
for name, settings in csv_settings.items():
    frame.to_csv(out(name), index=False, **settings)
# Mixed line ends, comments, no line end after the last record, spaces, missing cells.
put("mixed.csv", b"# measured by hand\nn,x\r\n1,NA\n# a comment, with a comma\r\n2,\r\n3, 4e-3\n4,+.5")
mixed = pd.read_csv(out("mixed.csv"), comment="#", skipinitialspace=True)
expected["mixed"] = {"n": mixed["n"].tolist(), "x": mixed["x"].fillna(-1).tolist()}
expected["frame"] = frame.to_dict("records")
frame.to_csv(out("utf-16.csv"), index=False, encoding="utf-16")
pd.DataFrame({"name": ["Zoë", "Bob"], "n": [1, 2]}).to_csv(out("latin-1.csv"), index=False, encoding="latin-1")
frame.to_csv(out("bzip2.csv.bz2"), index=False)
frame.to_json(out("lines.jsonl"), orient="records", lines=True)
frame.to_json(out("document.jsonl"), orient="records", indent=1)
put("not-a-number.jsonl", json.dumps({"x": float("nan")}).encode())

# Several members or frames, frames to be skipped, checksums.
content = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(500))
half = len(content) // 2
with_sum = zstandard.ZstdCompressor(write_checksum=True)
put("members.csv.gz", gzip.compress(content[:half], mtime=1) + gzip.compress(content[half:], mtime=1))
put("frames.csv.zst", struct.pack("<II", 0x184D2A50, 4) + b"skip" + with_sum.compress(content[:half]) + with_sum.compress(content[half:]))
damaged = bytearray(gzip.compress(content, mtime=1))
damaged[-6] ^= 1  # the checksum
put("checksum.csv.gz", bytes(damaged))

# Parquet and Arrow: a column of each type, and what Python makes of it.
kinds = {
    "decimal": (pa.array([decimal.Decimal("0.3"), decimal.Decimal("-2.25"), decimal.Decimal("1234567.1")], pa.decimal128(12, 4)), None),
    "stamp_ms": (pa.array([1, 1700000000123, -5], pa.timestamp("ms")), [1, 1700000000123, -5]),
    "stamp_us": (pa.array([1500, 1700000000123000, -5000], pa.timestamp("us", tz="UTC")), [1.5, 1700000000123, -5]),
    "stamp_ns": (pa.array([1500000, 1700000000123000000, -5000000], pa.timestamp("ns")), [1.5, 1700000000123, -5]),
    "day": (pa.array([1, 19000, -1], pa.date32()), [86400000, 19000 * 86400000, -86400000]),
    "half": (pa.array(np.array([0.5, -65504, 6e-8], np.float16)), None),
    "int8": (pa.array([-128, 0, 127], pa.int8()), None),
    "uint8": (pa.array([255, 0, 127], pa.uint8()), None),
    "uint16": (pa.array([65535, 0, 127], pa.uint16()), None),
    "uint32": (pa.array([2**32 - 1, 0, 127], pa.uint32()), None),
    "int64": (pa.array([2**53, -(2**53), 7], pa.int64()), None),
    "flag": (pa.array([True, False, True]), [1, 0, 1]),
    "coded": (pa.array(["red", "blue", "red"]).dictionary_encode(), None),
    "long_text": (pa.array(["a", "", "東京"], pa.large_string()), None),
    "view": (pa.array(["a", "longer than twelve bytes", ""], pa.string_view()), None),
    "pairs": (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int16())), None),
    "halves": (pa.array([[0.5, 2.0]] * 3, pa.list_(pa.float16(), 2)), None),
    "grids": (pa.array([[[1.0, 2.0], [3.0, 4.0]]] * 3), None),
}
table = pa.table({name: column for name, (column, _) in kinds.items()})
pq.write_table(table, out("types.parquet"), row_group_size=2, write_page_index=True)
with pa.OSFile(out("types.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    writer.write_table(table)
with pa.OSFile(out("types.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
    writer.write_table(table, max_chunksize=2)
expected["kinds"] = {
    name: values if values is not None else [float(v) if isinstance(v, decimal.Decimal) else v for v in column.to_pylist()]
    for name, (column, values) in kinds.items()
}
wrong = pa.table({"big": pa.array([1, 2**53 + 1, 3]), "bytes": pa.array([b"a", b"\xff\xd8", b"c"]), "pair": [[1, 2], [3, None], [5, 6]]})
pq.write_table(wrong, out("wrong.parquet"))
with pa.OSFile(out("wrong.arrow"), "wb") as sink, pa.ipc.new_file(sink, wrong.schema) as writer:
    writer.write_table(wrong)
pq.write_table(pa.table({"x": [[1.0, 2.0], [3.0], [4.0, 5.0]], "label": [0, 1, 2]}), out("ragged.parquet"))
many = pa.table({"i": pa.array(range(300), pa.int32()), "s": [f"s{i % 7}" for i in range(300)]})
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    pq.write_table(many, out(f"codec-{codec}.parquet"), compression=codec, row_group_size=100, data_page_size=64, write_page_checksum=True)
for codec in ["uncompressed", "lz4", "zstd"]:
    feather.write_feather(many, out(f"codec-{codec}.feather"), compression=codec, chunksize=100)
put("version-1.feather", b"FEA1" + bytes(8) + b"FEA1")

# NumPy: versions of the format, orders, types.
grid = np.arange(6, dtype=np.float32).reshape(2, 3)
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(out(f"version-{version[0]}.npy"), "wb") as file:
        np.lib.format.write_array(file, grid, version=version)
python2 = open(out("version-1.npy"), "rb").read().replace(b"(2, 3), }  ", b"(2L, 3L), }")
put("python-2.npy", python2)
np.save(out("scalar.npy"), np.float64(2.5))
np.save(out("bool.npy"), np.array([True, False]))
np.save(out("structure.npy"), np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")]))
np.save(out("complex.npy"), np.array([1 + 2j]))
np.save(out("dates.npy"), np.array(["2024-01-01"], "M8[D]"))
np.save(out("big-endian-half.npy"), np.array([0.5, -2, 65504], ">f2"))
np.savez(out("several.npz"), x=grid, y=np.array([1, 2]), name="text")
np.savez_compressed(out("packed.npz"), x=np.asfortranarray(grid), y=np.array([1, 2]))
with zipfile.ZipFile(out("zip64.npz"), "w") as archive, archive.open("x.npy", "w", force_zip64=True) as member:
    np.lib.format.write_array(member, grid)
with zipfile.ZipFile(out("bzip2.npz"), "w", zipfile.ZIP_BZIP2) as archive, archive.open("x.npy", "w") as member:
    np.lib.format.write_array(member, grid)
np.savez(out("none.npz"))
safetensors.numpy.save_file(
    {"half": np.array([1, 2.5], np.float16), "brain": np.array([1, -3.0e38], ml_dtypes.bfloat16), "flag": np.array([True, False])},
    out("halves.safetensors"),
    metadata={"format": "np"},
)
safetensors.numpy.save_file({"x": np.array([1], ml_dtypes.float8_e4m3fn)}, out("eighth.safetensors"))
expected["brain"] = np.array([1, -3.0e38], ml_dtypes.bfloat16).astype(np.float32).tolist()

# Sounds: scipy and the standard library; a file that was written into a pipe; codes that are not read.
stereo = np.array([[-32768, 1], [2, 32767]], np.int16)
scipy.io.wavfile.write(out("int16.wav"), 8000, stereo)
scipy.io.wavfile.write(out("int32.wav"), 8000, stereo.astype(np.int32) * 65536)
scipy.io.wavfile.write(out("uint8.wav"), 8000, np.array([[0, 128], [255, 1]], np.uint8))
scipy.io.wavfile.write(out("float.wav"), 8000, np.array([[0.5, -0.25]], np.float32))
with wave.open(out("int24.wav"), "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(3)
    file.setframerate(16000)
    file.writeframes(b"\x00\x00\x80\xff\xff\x7f\x00\x00\x01")
piped = bytearray(open(out("int16.wav"), "rb").read())
at = piped.index(b"data")
piped[4:8] = piped[at + 4 : at + 8] = b"\xff" * 4
put("piped.wav", bytes(piped))
mulaw = bytearray(open(out("uint8.wav"), "rb").read())
mulaw[20] = 7
put("mu-law.wav", bytes(mulaw))
expected["sounds"] = {
    "int16.wav": (stereo / 32768).tolist(),
    "piped.wav": (stereo / 32768).tolist(),
    "int32.wav": (stereo / 32768).tolist(),
    "uint8.wav": [[-1, 0], [127 / 128, -127 / 128]],
    "float.wav": [[0.5, -0.25]],
    "int24.wav": [[-1], [8388607 / 8388608], [65536 / 8388608]],
}

# Tokenizers: byte fallback and unknown characters, a WordPiece and a Unigram model with additions, as the package reads them.
texts = ["abab", "abz é", "東京 ab", "", "ab  <s> ab", "AB [MASK]"]
made = {}
bpe = tokenizers.Tokenizer(
    tokenizers.models.BPE(
        {**{f"<0x{i:02X}>": i for i in range(256)}, "<unk>": 256, "a": 257, "b": 258, "ab": 259, "▁": 260, "▁ab": 261},
        [("a", "b"), ("▁", "ab")],
        unk_token="<unk>",
        byte_fallback=True,
        fuse_unk=True,
    )
)
bpe.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")])
bpe.decoder = tokenizers.decoders.Sequence(
    [
        tokenizers.decoders.Replace("▁", " "),
        tokenizers.decoders.ByteFallback(),
        tokenizers.decoders.Fuse(),
        tokenizers.decoders.Strip(" ", 1, 0),
    ]
)
bpe.add_special_tokens(["<s>"])
made["byte-fallback"] = bpe
bare = tokenizers.Tokenizer(tokenizers.models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
made["no-unknown"] = bare
piece = tokenizers.Tokenizer(tokenizers.models.WordPiece({"[UNK]": 0, "ab": 1, "##ab": 2, "z": 3, "##z": 4, "<": 5}, unk_token="[UNK]"))
piece.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
piece.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
piece.add_special_tokens(["[MASK]"])
made["pieces"] = piece
unigram = tokenizers.Tokenizer(tokenizers.models.Unigram([("<unk>", 0.0), ("▁", -2.0), ("ab", -1.5), ("▁ab", -2.5), ("a", -3.0), ("b", -3.0), ("z", -4.0)], unk_id=0))
unigram.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
unigram.decoder = tokenizers.decoders.Metaspace()
made["scores"] = unigram
expected["tokenizers"] = {}
for name, tokenizer in made.items():
    tokenizer.save(out(f"tokenizer-{name}.json"), pretty=False)
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    expected["tokenizers"][name] = [[text, one] for text, one in zip(texts, ids)]

# Texts in other encodings.
put("utf-16.txt", "hällo\nwörld\n".encode("utf-16"))
put("utf-16-bare.txt", "hello\nworld\n".encode("utf-16-le"))
put("latin-1.txt", "plain\nwörld\n".encode("latin-1"))

with open(out("expected.json"), "w") as file:
    file.write(json.dumps(expected, ensure_ascii=False).replace("Infinity", "1e999"))  # JSON has no infinity
