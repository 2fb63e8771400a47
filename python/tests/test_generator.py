"""Samples of a run, beside those of the command."""

import shutil

import minimax
import numpy as np
import pytest
from conftest import REPOSITORY

CONDITIONAL = REPOSITORY / "tests/fixtures/games/conditional-mixed.toml"


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """A run whose generator takes one of four classes, on images that NumPy has made."""
    folder = tmp_path_factory.mktemp("conditional")
    images = np.random.default_rng(5).integers(0, 256, size=(400, 4, 4), dtype=np.uint8)
    np.savez(folder / "images.npz", x=images, y=np.arange(400) % 4)
    return minimax.train(CONDITIONAL, folder / "run", data=folder / "images.npz", steps=3)


@pytest.mark.parametrize("options, flags", [
    ({"count": 5, "seed": 7}, ["--count", 5, "--seed", 7]),
    ({"count": 130}, ["--count", 130]),
    ({}, []),
])
def test_the_numbers_are_those_of_the_command(run, command, tmp_path, options, flags):
    command("sample", run.folder, "--out", tmp_path / "samples.npy", "--device", "cpu", *flags)
    images = minimax.load(run, device="cpu").sample(**options)
    assert images.dtype == np.float32 and images.shape[1:] == (28, 28, 1)
    assert np.array_equal(images, np.load(tmp_path / "samples.npy"))
    assert np.abs(images).max() <= 1


def test_classes_are_those_of_the_command(conditional, command, tmp_path):
    generator = minimax.load(conditional, device="cpu")
    assert (generator.classes, generator.shape, generator.latent_size) == (4, (4, 4, 1), 5)
    samples = []
    for flags in [[], ["--class", 2]]:
        out = tmp_path / f"samples-{len(samples)}.npy"
        command("sample", conditional.folder, "--count", 10, "--out", out, "--device", "cpu", *flags)
        samples.append(np.load(out))
    assert np.array_equal(generator.sample(10), samples[0])
    assert np.array_equal(generator.sample(10, classes=2), samples[1])
    assert np.array_equal(generator.sample(10, classes=[2] * 10), samples[1])
    assert not np.array_equal(samples[0], samples[1])
    with pytest.raises(ValueError, match="class 4 of classes 0 to 3"):
        generator.sample(3, classes=4)
    with pytest.raises(ValueError, match="2 classes for 3 samples"):
        generator.sample(3, classes=[0, 1])


def test_latents_may_be_given(run):
    generator = minimax.load(run, device="cpu")
    latents = np.random.default_rng(6).normal(size=(3, generator.latent_size))
    images = generator.sample(latents=latents)
    assert np.array_equal(images[1:], generator.sample(latents=latents[1:]))
    with pytest.raises(ValueError, match=r"latents of shape \[3, 5\], not \[n, 100\]"):
        generator.sample(latents=latents[:, :5])
    with pytest.raises(ValueError, match="latents say"):
        generator.sample(3, latents=latents)


def test_samples_are_read_only_and_outlive_the_generator(run):
    images = minimax.load(run, device="cpu").sample(4)
    assert not images.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    again = minimax.load(run, device="cpu").sample(4)
    assert np.array_equal(images, again)


def test_what_there_is_to_know_of_a_generator(run):
    generator = minimax.load(run.folder / "generator.safetensors", device="cpu")
    assert (generator.recipe, generator.step, generator.device, generator.classes) == ("quickstart", 2, "cpu", None)
    assert repr(generator) == 'Generator("quickstart", step=2, device="cpu")'
    own = minimax.load(run, average=False, device="cpu")
    assert not np.array_equal(own.sample(2), generator.sample(2))
    assert minimax.load(run, best=True, device="cpu").step == 2
    assert minimax.load(run, device="reference").sample(2).dtype == np.float64


def test_what_is_no_run_is_an_error(run, tmp_path):
    with pytest.raises(minimax.Error, match="nowhere"):
        minimax.load("nowhere")
    damaged = tmp_path / "generator.safetensors"
    shutil.copy(run.folder / "generator.safetensors", damaged)
    damaged.write_bytes(damaged.read_bytes()[:-8])
    with pytest.raises(minimax.Error, match="generator.safetensors"):
        minimax.load(tmp_path)
    with pytest.raises(minimax.Error, match="best"):
        minimax.load(tmp_path, best=True)
    with pytest.raises(ValueError, match="quickstart makes images without being told"):
        minimax.load(run).sample(1, classes=3)
    with pytest.raises(ValueError, match="count"):
        minimax.load(run).sample(0)
