"""What happens to the random generators inside the block does not show after it."""

import random

import numpy as np
import pytest

from pipeline.engines.shared.random_state import random_state_kept

torch = pytest.importorskip("torch")


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def test_the_generators_go_on_where_they_were() -> None:
    seed_all(1)
    expected = [draw(), draw()]
    seed_all(1)
    found = [draw()]
    with random_state_kept():
        seed_all(99)
        draw()
    found.append(draw())
    assert found == expected


def test_they_do_after_an_error_too() -> None:
    seed_all(1)
    expected = draw()
    seed_all(1)
    with pytest.raises(ValueError, match="inside"), random_state_kept(seed=4):
        raise ValueError("inside")
    assert draw() == expected


def test_a_seed_decides_what_is_drawn_inside() -> None:
    drawn = []
    for seed in (2**40 + 3, 2**40 + 3, 4):
        draw()
        with random_state_kept(seed):
            drawn.append(draw())
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))
