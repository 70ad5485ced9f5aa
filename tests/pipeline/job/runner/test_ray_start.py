"""Ray that does not start: tried again where the machine was too busy for it, and told in a sentence."""

from typing import Any

import pytest
import ray

from manifests.errors import EngineUnavailable
from pipeline.job.runner import ray_processes
from pipeline.job.runner.ray_processes import start_ray


@pytest.mark.parametrize(
    ("slow_s", "tries", "words"),
    [
        pytest.param(
            0.0, 3, r"^Ray did not start in time, 3 times: .*a load of \d+ on \d+ cores.*--runner local", id="busy"
        ),
        pytest.param(20.0, 1, "^Ray does not start on this machine; .* timed out during startup", id="a fault"),
    ],
)
def test_a_slow_start_is_tried_again(slow_s: float, tries: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the one that Ray raises after 30 s, which here comes at once."""
    tried = []

    def init(**options: Any) -> None:
        tried.append(options)
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray_processes, "_SLOW_S", slow_s)
    with pytest.raises(EngineUnavailable, match=words):
        start_ray(1)
    assert len(tried) == tries
