"""Whether our judge ranks the checkpoints of a run as a LeNet does that has nothing to do with it.

    minimax train dcgan-compact-mnist --epochs 10 --keep-every 1
    pip install -r tests/ranking/requirements.txt
    python tests/ranking/check.py --mnist datasets/mnist runs/dcgan-compact-mnist-1

LeNet-5 (LeCun et al. 1998; ReLU, max pooling, 84 features) is trained in PyTorch on MNIST's training images. The Frechet
distance of 10,000 samples of each kept checkpoint from the training images, in its features, is held against that of
`minimax judge`. What is printed last is Spearman's rank correlation of the two.
"""

import argparse
import gzip
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import sqrtm
from scipy.stats import spearmanr
from torch import nn

EPOCHS = 4
BATCH = 128
SEED = 1998


def idx(folder: Path, name: str, header: int) -> np.ndarray:
    """The bytes of one of MNIST's files, packed or not, after its header."""
    packed = folder / f"{name}.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
    return np.frombuffer(data, np.uint8)[header:]


def mnist(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images from 0 to 1, [n, 1, 28, 28], and labels."""
    images = idx(folder, f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = idx(folder, f"{part}-labels-idx1-ubyte", 8)
    return torch.tensor(images).float() / 255, torch.tensor(labels).long()


def lenet() -> nn.Sequential:
    """LeNet-5; its last layer but one gives the features."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def train(net: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
            optimizer.step()


@torch.no_grad()
def moments(net: nn.Sequential, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the features of `images`."""
    features = torch.cat([net[:-1](part) for part in images.split(1000)]).double().numpy()
    return features.mean(0), np.cov(features, rowvar=False)


def frechet(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    root = sqrtm(a[1] @ b[1]).real
    return float(((a[0] - b[0]) ** 2).sum() + np.trace(a[1] + b[1] - 2 * root))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--minimax", default="target/release/minimax")
    parser.add_argument("--count", type=int, default=10_000)
    args = parser.parse_args()

    torch.manual_seed(SEED)
    images, labels = mnist(args.mnist, "train")
    test_images, test_labels = mnist(args.mnist, "t10k")
    net = lenet()
    train(net, images, labels)
    net.eval()
    with torch.no_grad():
        right = (net(test_images).argmax(1) == test_labels).double().mean().item()
    real = moments(net, images)
    floor = frechet(real, moments(net, test_images))
    print(f"LeNet-5 is right about {100 * right:.2f}% of the test images, whose distance is {floor:.4f}")

    ours, theirs = [], []
    for kept in sorted((args.run / "kept").glob("*.safetensors")):
        command = [args.minimax, "judge", kept, "--count", str(args.count), "--json", "--data", args.mnist]
        figures = json.loads(subprocess.check_output(command))["figures"]
        ours.append(figures["frechet_distance"]["samples"]["value"])
        with tempfile.TemporaryDirectory() as folder:
            array = Path(folder) / "samples.npy"
            subprocess.check_call([args.minimax, "sample", kept, "--count", str(args.count), "--out", array])
            samples = torch.tensor(np.load(array)).permute(0, 3, 1, 2)
        low = -1.0 if samples.min() < 0 else 0.0
        theirs.append(frechet(real, moments(net, (samples - low) / (1 - low))))
        print(f"{kept.stem}: minimax judge {ours[-1]:.4f}, LeNet-5 {theirs[-1]:.4f}", flush=True)
    print(f"rank correlation of {len(ours)} checkpoints: {spearmanr(ours, theirs).statistic:.4f}")


if __name__ == "__main__":
    main()
