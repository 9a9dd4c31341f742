"""The MLP on MNIST with Lightning's Trainer; whole batches are indexed at once, Lightning's faster way to read arrays."""

import logging
import warnings

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

import mnist

torch.set_num_threads(mnist.THREADS)
lightning.seed_everything(1, verbose=False)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))

    def training_step(self, batch, index):
        loss = F.cross_entropy(self.net(batch[0]), batch[1])
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("accuracy", (self.net(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-3)


class FirstStep(Callback):
    def on_train_batch_end(self, *_):
        mnist.first_step_done()


train = TensorDataset(*map(torch.from_numpy, mnist.load("train")))
loader = DataLoader(train, sampler=BatchSampler(RandomSampler(train), mnist.BATCH, True), batch_size=None)
validation = None
if not mnist.FIRST_STEP_ONLY:
    validation = DataLoader(TensorDataset(*map(torch.from_numpy, mnist.load("t10k"))), batch_size=1000)
callbacks = [ModelCheckpoint(dirpath=f"{mnist.OUT}/checkpoints", save_top_k=-1)]
if mnist.FIRST_STEP_ONLY:
    callbacks.append(FirstStep())
trainer = lightning.Trainer(
    max_epochs=mnist.EPOCHS, default_root_dir=mnist.OUT, callbacks=callbacks, num_sanity_val_steps=0,
    accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(Classifier(), loader, validation)
mnist.done(trainer.callback_metrics["accuracy"])
