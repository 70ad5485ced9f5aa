"""Starts llama.cpp's server of a GGUF file, waits until it answers, and ends it.

The server comes with the package xllamacpp, which holds llama.cpp built ahead and needs no other package. It runs in a
process of its own, which ends with this one: a native crash, or memory that runs out, leaves a sentence behind.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from manifests.errors import EngineUnavailable, UserError
from manifests.private_paths import public_text

PORT = 8080
"""llama.cpp's own default, which the recipes name."""
CONTEXT = 4096
"""Tokens of a conversation: a prompt of Parley has up to 1,000, and three tries at an answer come to as many again."""
READY_S = 300.0
"""Weights of some gigabytes come from a slow disk in this time."""

_LOOK_S = 0.2
_END_S = 10.0
_LOG_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`alias` is the model's name to those who ask; `slots` answers of `context` tokens each are written side by side.

    `threads`: more than there are idle cores make it many times slower, as they wait for each other.
    """

    gguf: str
    alias: str
    port: int = PORT
    threads: int = 1
    slots: int = 1
    context: int = CONTEXT

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def idle_threads() -> int:
    """Return the threads that leave one core to the rest of the machine, at least one."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


@contextmanager
def llama_cpp_server(settings: ServerSettings, ready_s: float = READY_S) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server, ready to be asked, while the context lasts; yields its process.

    Raises EngineUnavailable where xllamacpp is not installed or the server does not start, and UserError where the
    port is taken.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise EngineUnavailable("serving a model needs xllamacpp: pip install 'parley[llamacpp]'")
    _need_port(settings.port)
    with tempfile.TemporaryFile() as log:
        process = _start(settings, log)
        try:
            _wait_until_ready(process, settings, log, ready_s)
            yield process
        finally:
            _end(process)


def run_beside(server: subprocess.Popen[bytes], command: Sequence[str]) -> int:
    """Run a command while the server runs, and return its exit code; it is ended where this process is told to stop.

    Raises UserError for a command that cannot be started, EngineUnavailable where the server ended before it did.
    """
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise UserError(f"{command[0]} cannot be started: {error.strerror or error}") from error
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code and server.poll() is not None:
        raise EngineUnavailable(f"llama.cpp ended, with code {server.returncode}, before {Path(command[0]).name} did")
    return code if code >= 0 else 128 - code


def gguf_in(directory: Path, name: str) -> Path:
    """Return the one GGUF file of a model's directory. Raises UserError where there is none, or several."""
    found = sorted(directory.rglob("*.gguf"))
    if len(found) != 1:
        raise UserError(f"{name} cannot be served: llama.cpp needs one GGUF file, and the model has {len(found)}")
    return found[0]


def _start(settings: ServerSettings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own: an interrupt at the terminal ends the command, which then ends the server.
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.serving.llama_cpp_process", json.dumps(asdict(settings))],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _need_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(
                f"port {port} of this machine is taken: end what listens there, or name another with --port, and "
                "tell the recipe, such as with --set models.writer.serving.base_url=http://127.0.0.1:PORT/v1"
            ) from None


def _wait_until_ready(
    process: subprocess.Popen[bytes], settings: ServerSettings, log: IO[bytes], ready_s: float
) -> None:
    """Wait until the weights are loaded; until then the server says 503."""
    until = time.monotonic() + ready_s
    while time.monotonic() < until:
        if process.poll() is not None:
            raise EngineUnavailable(f"llama.cpp ended while it loaded {settings.alias}: {_last_line(log)}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/health", timeout=5):
                return
        except OSError:
            time.sleep(_LOOK_S)
    raise EngineUnavailable(f"llama.cpp did not load {settings.alias} within {ready_s:.0f} s: {_last_line(log)}")


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return public_text(lines[-1], limit=_LOG_CHARACTERS) if lines else "it said nothing"
