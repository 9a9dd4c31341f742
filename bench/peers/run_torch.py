"""The MLP on MNIST in a plain PyTorch loop: shuffled epochs, evaluation and a checkpoint after each."""

import torch
from torch import nn
from torch.nn import functional as F

import mnist

torch.set_num_threads(mnist.THREADS)
torch.manual_seed(1)
images, labels = map(torch.from_numpy, mnist.load("train"))
model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

for epoch in range(mnist.EPOCHS):
    order = torch.randperm(len(images))
    for i in range(len(images) // mnist.BATCH):
        batch = order[i * mnist.BATCH : (i + 1) * mnist.BATCH]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        if epoch == 0 and i == 0:
            loss.item()
            mnist.first_step_done()
    if epoch == 0:
        test_images, test_labels = map(torch.from_numpy, mnist.load("t10k"))
    with torch.no_grad():
        right = sum(
            (model(x).argmax(1) == y).sum().item() for x, y in zip(test_images.split(1000), test_labels.split(1000))
        )
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, f"{mnist.OUT}/{epoch}.pt")

mnist.done(right / len(test_labels))
