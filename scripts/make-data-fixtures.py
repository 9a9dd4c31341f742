"""Writes the small files of tests/fixtures/data with independent writers: numpy, pandas, pyarrow, Pillow, safetensors,
soundfile, tokenizers, zstandard. Run: python scripts/make-data-fixtures.py (pip install those packages first)."""

import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy
import soundfile
import zstandard
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

OUT = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "data")
os.makedirs(OUT, exist_ok=True)


def out(name):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


# A table of every kind of column; the expected values stand beside it.
N = 25
table = pd.DataFrame(
    {
        "id": np.arange(N, dtype=np.int64) * 3 - 10,
        "weight": (np.arange(N) * 0.37 - 2).round(4),
        "tiny": [(-1) ** i * 1.5e-7 * (i + 1) for i in range(N)],
        "name": [f'row "{i}", α' if i % 5 == 0 else f"r{i}\nline" if i % 7 == 0 else f"r{i}" for i in range(N)],
        "ok": [i % 3 == 0 for i in range(N)],
    }
)
table.to_csv(out("table.csv"), index=False)
table.to_csv(out("table.tsv"), index=False, sep="\t")
table.to_csv(out("table.csv.gz"), index=False, compression={"method": "gzip", "mtime": 1})
with open(out("table.csv"), "rb") as f:
    open(out("table.csv.zst"), "wb").write(zstandard.ZstdCompressor().compress(f.read()))
with open(out("table.jsonl"), "w") as f:
    f.writelines(json.dumps(row) + "\n" for row in table.to_dict("records"))
for codec in ["snappy", "gzip", "zstd", "none"]:
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), out(f"table-{codec}.parquet"), compression=codec, row_group_size=10)
vectors = pa.table({"v": pa.array([[float(i), i + 0.5, -i] for i in range(N)], pa.list_(pa.float32())), "label": pa.array(range(N), pa.int32())})
pq.write_table(vectors, out("vectors.parquet"), row_group_size=10)
nulls = pa.table({"x": pa.array([1.0, None, 3.0])})
pq.write_table(nulls, out("nulls.parquet"))
arrow = pa.Table.from_pandas(table, preserve_index=False)
with pa.OSFile(out("table.arrow"), "wb") as sink, pa.ipc.new_file(sink, arrow.schema) as writer:
    writer.write_table(arrow, max_chunksize=10)
with pa.OSFile(out("table.arrows"), "wb") as sink, pa.ipc.new_stream(sink, arrow.schema) as writer:
    writer.write_table(arrow, max_chunksize=10)
with pa.OSFile(out("vectors.arrow"), "wb") as sink, pa.ipc.new_file(sink, vectors.schema) as writer:
    writer.write_table(vectors, max_chunksize=10)

# Arrays.
grid = (np.arange(24, dtype=np.float32) / 8).reshape(4, 3, 2)
labels = np.array([3, 1, 4, 1], dtype=np.int64)
np.save(out("grid.npy"), grid)
np.save(out("labels.npy"), labels)
np.save(out("fortran.npy"), np.asfortranarray(grid))
np.save(out("big-endian.npy"), grid.astype(">f8"))
np.save(out("half.npy"), grid.astype(np.float16))
np.savez(out("arrays.npz"), grid=grid, labels=labels)
np.savez_compressed(out("arrays-deflated.npz"), grid=grid, labels=labels)
safetensors.numpy.save_file({"grid": grid, "labels": labels, "half": grid.astype(np.float16), "flags": labels > 2}, out("arrays.safetensors"))

# Images: smooth, so that lossy formats stay close; the centre pixels' colours are known.
for label, colour in [("blue", (30, 60, 200)), ("red", (210, 40, 20))]:
    y, x = np.mgrid[0:40, 0:60]
    shade = np.stack([np.clip(c + x * 0.5 - 15 + y * 0.25 - 5, 0, 255) for c in colour], -1).astype(np.uint8)
    image = Image.fromarray(shade)
    image.save(out(f"images/{label}/a.png"))
    image.save(out(f"images/{label}/b.jpg"), quality=95, subsampling=0)
    image.save(out(f"images/{label}/c.webp"), lossless=True)

# Sound: a ramp in each sample format.
ramp = np.stack([np.linspace(-1, 1, 21)[:-1], np.linspace(0.5, -0.5, 21)[:-1]], -1)
for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]:
    soundfile.write(out(f"sound-{subtype.lower()}.wav"), ramp, 8000, subtype=subtype)

# Tokenizer: byte-pair encoding learnt from a short text.
text = "the cat sat on the mat, the rat sat on the cat; naïve café"
bpe = Tokenizer(models.BPE())
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bpe.decoder = decoders.ByteLevel()
bpe.train_from_iterator(
    [text] * 4, trainers.BpeTrainer(vocab_size=290, special_tokens=["<eos>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
)
bpe.save(out("tokenizer.json"))
samples = ["the cat sat", "a naïve rat; the end", "日本"]
json.dump(
    {
        "table": table.to_dict("records"),
        "ramp": ramp.tolist(),
        "tokens": [{"text": s, "ids": bpe.encode(s).ids} for s in samples],
        "vocabulary_size": bpe.get_vocab_size(),
        "centre": {label: np.asarray(Image.open(out(f"images/{label}/a.png")))[20, 30].tolist() for label in ["blue", "red"]},
    },
    open(out("expected.json"), "w"),
    ensure_ascii=False,
)
