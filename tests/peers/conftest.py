"""The tiny model, made once, and the servers on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.environments import VLLM
from tests.peers.servers import QUIET, SERVERS, Checkpoints, Server, make_checkpoints, need


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> Iterator[None]:
    """Before anything here imports vLLM."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    need(VLLM)
    directory: Path = tmp_path_factory.mktemp("models")
    return make_checkpoints(directory)


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each kind in turn, one at a time."""
    environments, start = SERVERS[request.param]
    for environment in environments:
        need(environment)
    with start(request.getfixturevalue("checkpoints")) as running:
        yield running
