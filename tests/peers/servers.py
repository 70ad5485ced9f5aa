"""Real servers as processes, each on the tiny model and a free port of this machine."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.environments import LLAMA_CPP, ROOT, VLLM, Environment

READY_S = 240
"""vLLM is ready in 26 s on two quiet cores."""
CONTEXT = 2048
ALIAS = "tiny"

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # Threads that wait for each other spin: on two busy cores a tiny model is a thousand times slower with two.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # The environments are not compiled when they are built: the first import does it for all that follow.
    "PYTHONDONTWRITEBYTECODE": "",
}
"""Environment for everything that runs a tiny model on a CPU."""


@dataclass(frozen=True)
class Server:
    kind: str
    base_url: str
    model: str


def need(environment: Environment) -> None:
    """Skip the test where the environment is not built; fail it where PARLEY_PEERS=required."""
    if not environment.is_built:
        _lack(f"the environment {environment.name} is not built: make test-peers")


def need_vllm_here() -> None:
    """The same for tests that run vLLM in their own process."""
    try:
        import vllm  # noqa: F401
    except ImportError:
        _lack("vLLM is not in this environment: make test-peers")


def _lack(reason: str) -> None:
    if os.environ.get("PARLEY_PEERS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Checkpoints:
    """The tiny model: a Hugging Face directory, and a GGUF file."""

    directory: Path
    gguf: Path


def make_checkpoints(directory: Path) -> Checkpoints:
    command = [VLLM.python, "-m", "tests.peers.checkpoints", directory]
    subprocess.run(command, cwd=ROOT, check=True, timeout=READY_S)
    return Checkpoints(directory / "tiny-qwen3", directory / "tiny-qwen3.gguf")


@contextmanager
def vllm_server(checkpoints: Checkpoints) -> Iterator[Server]:
    port = _free_port()
    command = [VLLM.python, "-m", "vllm.entrypoints.openai.api_server", "--model", checkpoints.directory]
    command += ["--served-model-name", ALIAS, "--max-model-len", CONTEXT, "--max-num-seqs", 32, "--dtype", "float32"]
    # On a CPU, a seeded request whose prompt is cut into chunks ends the engine.
    command += ["--no-enable-chunked-prefill"]
    command += ["--enforce-eager", "--enable-prompt-tokens-details", "--host", "127.0.0.1", "--port", port]
    with _running("vllm", command, port, checkpoints.directory.parent):
        yield Server("vllm", _url(port), ALIAS)


@contextmanager
def llama_cpp_server(checkpoints: Checkpoints) -> Iterator[Server]:
    port = _free_port()
    program = Path(__file__).with_name("llama_cpp_process.py")
    command = [LLAMA_CPP.python, program, checkpoints.gguf, ALIAS, CONTEXT, port]
    with _running("llama-cpp", command, port, checkpoints.directory.parent):
        yield Server("llama-cpp", _url(port), ALIAS)


@contextmanager
def transformers_server(checkpoints: Checkpoints) -> Iterator[Server]:
    """It knows its model by the path alone, and has no list of models without a cache directory."""
    port = _free_port()
    cache = checkpoints.directory.parent / "cache"
    cache.mkdir(exist_ok=True)
    command = [VLLM.python.with_name("transformers"), "serve", checkpoints.directory, "--device", "cpu"]
    command += ["--default-seed", 1, "--host", "127.0.0.1", "--port", port]
    with _running("transformers", command, port, checkpoints.directory.parent, {"HF_HUB_CACHE": str(cache)}):
        yield Server("transformers", _url(port), str(checkpoints.directory))


SERVERS = {
    "vllm": ((VLLM,), vllm_server),
    "llama-cpp": ((VLLM, LLAMA_CPP), llama_cpp_server),
    "transformers": ((VLLM,), transformers_server),
}
"""By kind: the environments that it needs (the checkpoints are made in vLLM's), and how it is started."""


@contextmanager
def _running(
    name: str, command: list[object], port: int, directory: Path, variables: Mapping[str, str] | None = None
) -> Iterator[None]:
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=directory,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | QUIET | dict(variables or {}),
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, port, log)
        yield
    finally:
        # vLLM is several processes: they are one session.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{_url(port)}/models", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"
