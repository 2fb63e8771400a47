"""What several tests use: a trained run, and the command."""

import os
import subprocess
from pathlib import Path

import minimax
import pytest

REPOSITORY = Path(__file__).parents[2]

# Dense layers on the built-in digits, ten steps an epoch, of which each takes no time.
DENSE = {"recipe": "vanilla-mnist", "data": "digits", "device": "cpu", "overrides": {"training.batch_size": 1000}}


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of two steps."""
    return minimax.train(out=tmp_path_factory.mktemp("runs") / "short", steps=2, overrides={"judge.every": 0})


@pytest.fixture(scope="session")
def command():
    """Calls minimax as a shell would."""
    path = os.environ.get("MINIMAX_COMMAND", REPOSITORY / "target/release/minimax")

    def call(*arguments):
        subprocess.run([path, *map(str, arguments)], check=True, capture_output=True)

    return call
