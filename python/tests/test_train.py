"""Training with a callback, and its ends."""

import os
import signal
import subprocess
import sys
import threading
import time

import minimax
import numpy as np
import pytest
from conftest import DENSE
from minimax import ops

# Points of the plane: an epoch in a blink.
PLANE = {"recipe": "ring-2d", "device": "cpu", "overrides": {"training.batch_size": 16}}


def test_each_epoch_is_told_and_false_stops(tmp_path):
    told = []

    def two_epochs(epoch):
        told.append(epoch)
        return epoch["epoch"] < 2

    run = minimax.train(**DENSE, out=tmp_path / "run", seed=3, callback=two_epochs)
    assert [(epoch["epoch"], epoch["step"]) for epoch in told] == [(1, 10), (2, 20)]
    assert (run.step, run.epochs, run.outcome) == (20, 2, "stopped")
    assert repr(run) == f'Run("{tmp_path / "run"}", step=20, epochs=2, outcome="stopped")'
    last = told[-1]
    assert all(last[name] > 0 for name in ["seconds", "images_per_second", "d_loss", "g_loss", "frechet_distance"])
    assert last["wasserstein_estimate"] is None and isinstance(last["alarms"], list)
    table = np.genfromtxt(run.folder / "epochs.csv", delimiter=",", names=True)
    np.testing.assert_allclose(table["frechet_distance"], [epoch["frechet_distance"] for epoch in told], rtol=1e-6)
    assert "seed = 3" in (run.folder / "recipe.toml").read_text()
    assert minimax.load(run).step == 20


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    whole = minimax.train(**PLANE, out=tmp_path / "whole", steps=40)
    minimax.train(**PLANE, out=tmp_path / "parts", steps=15)
    parts = minimax.resume(tmp_path / "parts", steps=40)
    assert (whole.step, whole.outcome) == (parts.step, parts.outcome) == (40, "finished")
    weights = [(run.folder / "checkpoint.safetensors").read_bytes() for run in (whole, parts)]
    assert weights[0] == weights[1]


def test_it_is_the_run_of_the_command(command, tmp_path):
    run = minimax.train(**PLANE, out=tmp_path / "ours", steps=5)
    command("train", "ring-2d", "--device", "cpu", "--batch-size", 16, "--steps", 5, "--out", tmp_path / "command")
    ours, theirs = (folder / "checkpoint.safetensors" for folder in (run.folder, tmp_path / "command"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_callback_runs_on_the_calling_thread_and_may_compute(tmp_path):
    seen = []

    def callback(epoch):
        seen.append((threading.current_thread(), ops.sum(np.ones((300, 300)) @ minimax.Tensor(np.ones((300, 300)))).item()))

    minimax.train(**PLANE, out=tmp_path / "run", steps=3, callback=callback)
    assert seen == [(threading.current_thread(), 300.0**3)]


def test_a_callback_may_compute_where_there_is_one_thread(tmp_path):
    code = f"""
import minimax, numpy as np
def callback(epoch):
    return minimax.ops.matmul(np.ones((500, 500)), np.ones((500, 500))).shape == (500, 500)
print(minimax.train("ring-2d", {str(tmp_path / "run")!r}, steps=3, device="cpu", callback=callback).outcome)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"RAYON_NUM_THREADS": "1"},
        cwd=tmp_path,  # where no folder is called minimax
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("finished\n", "")


def test_other_threads_run_meanwhile(tmp_path):
    counted, done = 0, threading.Event()
    thread = threading.Thread(target=lambda: (minimax.train(**PLANE, out=tmp_path / "run", steps=200), done.set()))
    thread.start()
    while not done.wait(0.01):
        counted += 1
    thread.join()
    assert counted > 3


def test_an_exception_of_the_callback_is_raised_once_all_is_saved(tmp_path):
    def fails(epoch):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        minimax.train(**PLANE, out=tmp_path / "run", steps=3, callback=fails)
    assert minimax.load(tmp_path / "run").step == 3


@pytest.fixture
def listening():
    """Python hears of Ctrl-C, also where it was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_raised_once_all_is_saved(listening, tmp_path):
    def interrupt():
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        minimax.train(**PLANE, out=tmp_path / "run")
    stopped = minimax.load(tmp_path / "run").step
    assert stopped > 0
    assert minimax.resume(tmp_path / "run", steps=stopped + 1).step == stopped + 1


def test_what_is_asked_wrongly(tmp_path):
    with pytest.raises(minimax.Error, match="there is no recipe"):
        minimax.train("nothing-like-it")
    with pytest.raises(minimax.Error, match="training.batch"):
        minimax.train(out=tmp_path / "a", overrides={"training.batch": 3})
    with pytest.raises(ValueError, match="both say training.epochs"):
        minimax.train(out=tmp_path / "b", epochs=2, overrides={"training.epochs": 3})
    with pytest.raises(TypeError, match="no value like"):
        minimax.train(out=tmp_path / "c", overrides={"training.epochs": object()})
    with pytest.raises(minimax.Error, match="checkpoint"):
        minimax.resume(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_overrides_are_values_of_python(tmp_path):
    overrides = {
        "training.average": None,
        "training.loss": "minimax",
        "training.batch_size": np.int64(8),
        "generator.optimizer": {"kind": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.9)},
        "data.flip": True,
    }
    run = minimax.train(out=tmp_path / "run", steps=1, overrides=overrides)
    recipe = (run.folder / "recipe.toml").read_text()
    for line in ['loss = "minimax"', "batch_size = 8", "flip = true", "0.9"]:
        assert line in recipe
    assert "average" not in recipe
