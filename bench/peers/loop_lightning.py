"""Lightning's loop on a tiny model (one 10×10 dense, batch 1, SGD) with its defaults, and the same step in a bare loop."""

import logging
import os
import time
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from protocol import THREADS, serve

torch.set_num_threads(THREADS)
X, Y = torch.randn(1, 10), torch.zeros(1, dtype=torch.long)


class Tiny(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(10, 10)

    def training_step(self, batch, index):
        loss = F.cross_entropy(self.net(batch[0]), batch[1])
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-3)


class Batches(IterableDataset):
    def __init__(self, steps):
        self.steps = steps

    def __iter__(self):
        for _ in range(self.steps):
            yield X, Y


class Clock(Callback):
    def on_train_epoch_start(self, *_):
        self.start = time.perf_counter()

    def on_train_epoch_end(self, *_):
        self.milliseconds = (time.perf_counter() - self.start) * 1e3


def train(steps):
    clock = Clock()
    lightning.Trainer(
        max_epochs=1, callbacks=[clock], default_root_dir=os.environ["BENCH_OUT"], accelerator="cpu",
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    ).fit(Tiny(), DataLoader(Batches(steps), batch_size=None))
    return {"ms": clock.milliseconds}


def bare(steps):
    model = nn.Linear(10, 10)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(X), Y).backward()
        optimizer.step()
    return {"ms": (time.perf_counter() - start) * 1e3}


serve({"train": train, "bare": bare}, versions={"torch": torch.__version__, "lightning": lightning.__version__})
