"""MNIST from the idx files in the folder BENCH_MNIST, and what the whole-run peers report to the parent."""

import json
import os
import sys

import numpy as np

THREADS = int(os.environ.get("BENCH_THREADS", "2"))
FIRST_STEP_ONLY = "--first-step" in sys.argv
EPOCHS = int(os.environ.get("BENCH_EPOCHS", "3"))
BATCH = 128
OUT = os.environ.get("BENCH_OUT", ".")


def load(split):
    """Images as float32 [n, 784] in 0..1 and labels as int64 [n]; split is 'train' or 't10k'."""
    folder = os.environ["BENCH_MNIST"]
    images = np.fromfile(f"{folder}/{split}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(f"{folder}/{split}-labels-idx1-ubyte", np.uint8)[8:]
    return images.astype(np.float32) / 255.0, labels.astype(np.int64)


def first_step_done():
    """Tells the parent, which holds the clock, that the first training step has ended; leaves if nothing else is wanted."""
    if FIRST_STEP_ONLY:
        print(json.dumps({"firstStep": True}), flush=True)
        os._exit(0)


def done(accuracy):
    """The result of a whole run."""
    print(json.dumps({"accuracy": float(accuracy)}), flush=True)
