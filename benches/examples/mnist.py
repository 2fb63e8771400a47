"""examples/mnist_mlp.rs and examples/mnist_cnn.rs in PyTorch: the same layers, batches, epochs and schedule.

    python mnist.py mlp FOLDER
"""

import gzip
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


def read(folder, name, header):
    path = Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8)


def images(folder, part):
    pixels = read(folder, f"{part}-images-idx3-ubyte", 16).view(-1, 1, 28, 28)
    return pixels.float() / 255, read(folder, f"{part}-labels-idx1-ubyte", 8).long()


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, 10))


def block(channels, filters):
    return [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]


def cnn():
    layers = [*block(1, 32), *block(32, 64), nn.Flatten(), nn.Dropout(0.5), nn.Linear(7 * 7 * 64, 10)]
    return nn.Sequential(*layers)


def accuracy(network, x, labels):
    network.eval()
    with torch.no_grad():
        right = sum((network(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), labels.split(500)))
    network.train()
    return 100 * right / len(labels)


def main():
    kind, folder = sys.argv[1:]
    make, rate, batch, epochs = {"mlp": (mlp, 1e-3, 100, 10), "cnn": (cnn, 2e-3, 64, 4)}[kind]
    (x, labels), test = images(folder, "train"), images(folder, "t10k")
    torch.manual_seed(1)
    network = make()
    optimizer = torch.optim.Adam(network.parameters(), rate)
    steps = len(x) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    start = time.time()
    for epoch in range(1, epochs + 1):
        for places in torch.randperm(len(x))[: steps * batch].split(batch):
            optimizer.zero_grad()
            F.cross_entropy(network(x[places]), labels[places]).backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch}: {accuracy(network, *test):.2f}% of the test set right")
    print(f"{time.time() - start:.1f} s")


main()
