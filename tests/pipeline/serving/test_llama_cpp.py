"""A language model served on this machine: what is said where it cannot be, and that nothing outlives the command.

The double of xllamacpp answers as llama.cpp does, 503 while it loads; the real one is in `test_local`.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from manifests.errors import EngineUnavailable, UserError
from pipeline.cli.model_commands import serve_model
from pipeline.serving.llama_cpp import ServerSettings, gguf_in, idle_threads, llama_cpp_server, run_beside

pytestmark = pytest.mark.timeout(120)

DOUBLE = """
import threading, types
from http.server import BaseHTTPRequestHandler, HTTPServer

class CommonParams(types.SimpleNamespace):
    def __init__(self):
        part = types.SimpleNamespace
        super().__init__(model=part(), cpuparams=part(), cpuparams_batch=part())

class Server:
    def __init__(self, params):
        if "broken" in params.model.path:
            raise RuntimeError("failed to load " + params.model.path)
        seen = []
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.path)
                self.send_response(503 if len(seen) < 3 else 200)
                self.end_headers()
                self.wfile.write(repr((params.model_alias, params.n_ctx, params.n_parallel)).encode())
            def log_message(self, *_):
                pass
        server = HTTPServer((params.hostnames[0], params.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = "somewhere"
"""


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "xllamacpp.py").write_text(DOUBLE)
    monkeypatch.syspath_prepend(str(packages))
    root = str(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), root]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(gguf: str = "tiny.gguf") -> ServerSettings:
    return ServerSettings(gguf, "tiny", free_port(), slots=2, context=100)


@pytest.mark.usefixtures("double")
def test_the_server_answers_when_it_is_yielded_and_is_gone_afterwards() -> None:
    chosen = settings()
    with llama_cpp_server(chosen) as server, urllib.request.urlopen(f"{chosen.base_url}/models") as reply:
        assert reply.read() == b"({'tiny'}, 200, 2)"
    assert server.returncode is not None
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{chosen.base_url}/models")


@pytest.mark.usefixtures("double")
def test_a_file_that_does_not_load_is_a_sentence_without_the_path() -> None:
    with pytest.raises(EngineUnavailable) as error, llama_cpp_server(settings("/home/ann/broken.gguf")):
        pass
    assert str(error.value) == "llama.cpp ended while it loaded tiny: RuntimeError: failed to load broken.gguf"


@pytest.mark.usefixtures("double")
def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = ServerSettings("tiny.gguf", "tiny", other.getsockname()[1])
        with pytest.raises(UserError, match=r"^port \d+ of this machine is taken: .* --port"), llama_cpp_server(taken):
            pass


@pytest.mark.usefixtures("double")
def test_a_server_that_does_not_get_ready_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.serving.llama_cpp._LOOK_S", 9.0)
    with pytest.raises(EngineUnavailable, match="did not load tiny within 1 s"), llama_cpp_server(settings(), 1.0):
        pass


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(EngineUnavailable, match=r"pip install 'parley\[llamacpp\]'"),
        llama_cpp_server(settings()),
    ):
        pass


@pytest.mark.usefixtures("double")
def test_the_server_ends_with_the_process_that_started_it_even_if_that_is_killed() -> None:
    chosen = settings()
    program = (
        "import time; from pipeline.serving.llama_cpp import *\n"
        f"with llama_cpp_server(ServerSettings('tiny.gguf', 'tiny', {chosen.port})) as server:\n"
        "    print(server.pid, flush=True); time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}/status").is_file() and "zombie" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < until, "the server outlives its command"
        time.sleep(0.05)


@pytest.mark.parametrize(("command", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_the_exit_code_is_that_of_the_command(command: str, code: int) -> None:
    with subprocess.Popen(["sleep", "100"]) as server:
        try:
            assert run_beside(server, ["sh", "-c", command]) == code
        finally:
            server.kill()


def test_a_command_that_fails_because_the_server_has_died_is_explained() -> None:
    with subprocess.Popen(["false"]) as server:
        server.wait()
        with pytest.raises(EngineUnavailable, match="ended, with code 1, before sh did"):
            run_beside(server, ["sh", "-c", "exit 4"])


def test_a_command_that_does_not_exist_is_a_sentence() -> None:
    with subprocess.Popen(["true"]) as server, pytest.raises(UserError, match=r"^no-such-command cannot be started"):
        run_beside(server, ["no-such-command"])


def test_one_file_is_served(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model has 0"):
        gguf_in(tmp_path, "m")
    (tmp_path / "a.gguf").touch()
    assert gguf_in(tmp_path, "m") == tmp_path / "a.gguf"
    (tmp_path / "b.gguf").touch()
    with pytest.raises(UserError, match="the model has 2"):
        gguf_in(tmp_path, "m")


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 7)])
def test_one_core_is_left_to_the_rest(cores: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
    assert idle_threads() == threads


@pytest.mark.parametrize("name", ["ke-speechchat-neural", "whisper-base"])
def test_only_a_language_model_can_be_served(name: str) -> None:
    with pytest.raises(UserError, match="names 0 language models"):
        serve_model(name, 8080, None, ())


def test_a_model_that_was_not_fetched_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_CACHE", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"parley models fetch qwen2\.5-1.5b-instruct"):
        serve_model("ke-speechchat-local", 8080, None, ())
