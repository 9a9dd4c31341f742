"""Training steps in PyTorch. `--compile` wraps forward pass and loss in torch.compile, as its documentation advises."""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

from protocol import THREADS, serve_steps

torch.set_num_threads(THREADS)
torch.manual_seed(0)


class MLP(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


class CNN(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10),
        )


class ResidualBlock(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = None
        if stride > 1 or channels_in != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        blocks, channels = [], 16
        for stage in range(3):
            for i in range(3):
                width = 16 << stage
                blocks.append(ResidualBlock(channels, width, 2 if stage and i == 0 else 1))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.blocks(F.relu(self.norm(self.conv(x)))).mean((2, 3)))


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, length):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("mask", torch.triu(torch.full((length, length), -1e9), 1))

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (s.view(b, t, self.heads, d // self.heads).transpose(1, 2) for s in self.qkv(self.norm1(x)).split(d, -1))
        weights = F.softmax(q @ k.transpose(-1, -2) / math.sqrt(d // self.heads) + self.mask, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, layers=4, width=128, heads=4, length=128, vocabulary=256):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(*[TransformerBlock(width, heads, length) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        logits = self.head(self.norm(self.blocks(self.embedding(tokens) + self.position)))
        return logits.reshape(-1, logits.shape[-1])


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(32, 128)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


def labels(n):
    return torch.arange(n) % 10


MODELS = {
    "mlp": lambda: (MLP(), torch.randn(128, 784), labels(128)),
    "cnn": lambda: (CNN(), torch.randn(64, 1, 28, 28), labels(64)),
    "resnet": lambda: (ResNet20(), torch.randn(32, 3, 32, 32), labels(32)),
    "gpt": lambda: (GPT(), torch.randint(0, 256, (16, 128)), torch.randint(0, 256, (16 * 128,))),
    "lstm": lambda: (LSTM(), torch.randn(64, 32, 32), labels(32)),
}


def build(name):
    model, x, y = MODELS[name]()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def forward():
        return F.cross_entropy(model(x), y)

    loss_of = torch.compile(forward) if "--compile" in sys.argv else forward

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


serve_steps(build, versions={"torch": torch.__version__})
