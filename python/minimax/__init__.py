"""A tensor and autodiff engine with handwritten kernels, and the GANs built on it.

docs/python.md is its page.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from . import ops
from ._minimax import (
    Error,
    Generator,
    Run,
    Tensor,
    __version__,
    grad,
    gradcheck,
    load,
    pause_recording,
    resume,
    resume_recording,
    train,
    vjp,
)

__all__ = [
    "Error",
    "Generator",
    "Run",
    "Tensor",
    "__version__",
    "grad",
    "gradcheck",
    "load",
    "no_grad",
    "ops",
    "resume",
    "train",
    "vjp",
]


@contextmanager
def no_grad() -> Iterator[None]:
    """A block, or with @no_grad() a function, in which this thread records nothing: for evaluation."""
    pause_recording()
    try:
        yield
    finally:
        resume_recording()
