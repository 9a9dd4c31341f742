"""Writes tests/fixtures/wav: a sound in every encoding that soundfile and scipy write, files that other programs leave behind, and what soundfile reads.

Run with Python 3, numpy, scipy and soundfile: python scripts/make-wav-fixtures.py
"""

import json
import pathlib
import struct

import numpy as np
import soundfile
from scipy.io import wavfile

OUT = pathlib.Path(__file__).parent.parent / "tests" / "fixtures" / "wav"
OUT.mkdir(parents=True, exist_ok=True)
sound = np.clip(np.random.default_rng(3).normal(0, 0.4, (37, 3)), -1, 0.999)
expected = {}


def read(name):
    data, rate = soundfile.read(OUT / name, dtype="float32", always_2d=True)
    expected[name] = {"shape": list(data.shape), "rate": rate, "data": data.ravel().tolist()}


for kind, subtypes in {"WAV": ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"], "WAVEX": ["PCM_24", "ALAW", "ULAW"], "RF64": ["PCM_16", "FLOAT"]}.items():
    for subtype in subtypes:
        name = f"{kind}-{subtype}.wav".lower()
        soundfile.write(OUT / name, sound, 16000, subtype=subtype, format=kind)
        read(name)
wavfile.write(OUT / "scipy.wav", 8000, (sound * 100).astype(np.int16))
read("scipy.wav")
whole = (OUT / "wav-pcm_16.wav").read_bytes()
at = whole.index(b"data")
for name, content in {
    "list-before.wav": whole[:at] + b"LIST" + struct.pack("<I", 5) + b"INFOx\0" + whole[at:],
    "junk-first.wav": whole[:12] + b"JUNK" + struct.pack("<I", 3) + b"abc\0" + whole[12:],
    "trailing.wav": whole + b"id3 " + struct.pack("<I", 4) + b"abcd",
    "partial-frame.wav": whole[: at + 4] + struct.pack("<I", len(whole) - at - 12) + whole[at + 8 : -4],
}.items():
    (OUT / name).write_bytes(content)
    read(name)
# Every byte of G.711.
for subtype in ("ALAW", "ULAW"):
    name = f"all-{subtype}.wav".lower()
    soundfile.write(OUT / name, np.zeros(256), 8000, subtype=subtype)
    content = bytearray((OUT / name).read_bytes())
    start = content.index(b"data") + 8
    content[start : start + 256] = bytes(range(256))
    (OUT / name).write_bytes(content)
    read(name)
(OUT / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
for subtype in ("IMA_ADPCM", "GSM610"):
    soundfile.write(OUT / f"refused-{subtype}.wav".lower(), sound[:, 0], 16000, subtype=subtype)
soundfile.write(OUT / "refused-rifx.wav", sound, 16000, subtype="PCM_16", endian="BIG")
soundfile.write(OUT / "refused-w64.wav", sound, 16000, subtype="PCM_16", format="W64")
