"""Keeps what an engine does to the random generators of the process from reaching anything else in it."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def random_state_kept(seed: int | None = None) -> Iterator[None]:
    """Put the states of all random generators back after the block: Python's, NumPy's, and PyTorch's on every device.

    With `seed`, the generators are seeded with it for the block. GPUs are left alone while PyTorch has not used them:
    looking at their generators would take memory on each.
    """
    import torch

    kept, kept_numpy = random.getstate(), np.random.get_state()
    cuda: Any = torch.cuda
    gpus = list(range(cuda.device_count())) if cuda.is_initialized() else []
    with torch.random.fork_rng(devices=gpus):
        if seed is not None:
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)
            random.seed(seed)
        try:
            yield
        finally:
            random.setstate(kept)
            np.random.set_state(kept_numpy)
