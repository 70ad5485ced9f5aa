"""The arguments of vLLM, and what happens without vLLM. Nothing here needs it."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import ChatMessage, ChatReply, ChatRequest, Failure, Tokens
from pipeline.engines.text._chat import vllm_model, vllm_orphans
from pipeline.engines.text._chat.vllm_model import VllmChat, reply_of
from pipeline.engines.text._chat.vllm_settings import (
    END_WITH_PARENT,
    engine_arguments,
    public_text,
    sampling_arguments,
    set_environment,
)
from pipeline.engines.text.vllm import VllmModel, VllmServing
from tests.tables import each_row


def model(**changes: Any) -> VllmModel:
    return VllmModel.model_validate({"engine": "vllm", "model": "maker/model-8b"} | changes)


@each_row(
    ("changes", "expected"),
    [
        ({}, {"model": "maker/model-8b", "dtype": "auto", "tensor_parallel_size": 1, "max_num_seqs": 256}),
        ({}, {"enable_prefix_caching": True, "structured_outputs_config": {"backend": "guidance"}}),
        ({}, {"gpu_memory_utilization": 0.9, "enforce_eager": False, "load_format": "auto"}),
        ({"revision": "abc"}, {"revision": "abc", "tokenizer_revision": "abc"}),
        ({"dtype": "bfloat16", "quantization": "awq"}, {"dtype": "bfloat16", "quantization": "awq"}),
        ({"max_model_len": 4096}, {"max_model_len": 4096}),
        ({"serving": VllmServing(tensor_parallel=2)}, {"distributed_executor_backend": "mp"}),
        ({"serving": VllmServing(gpu_memory=0.4, max_num_seqs=8)}, {"gpu_memory_utilization": 0.4, "max_num_seqs": 8}),
        ({"serving": VllmServing(enforce_eager=True, load_format="dummy")}, {"load_format": "dummy"}),
        ({"model": "~/models/x"}, {"model": str(Path.home() / "models" / "x")}),
    ],
)
def test_engine_arguments(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    arguments = engine_arguments(model(**changes))
    assert {name: arguments.get(name) for name in expected} == expected


@pytest.mark.parametrize(("device", "expected"), [("cuda", None), ("cpu", False)])
def test_prompts_are_not_chunked_on_a_cpu(device: str, expected: bool | None) -> None:
    assert engine_arguments(model(), device).get("enable_chunked_prefill") is expected


def test_open_settings_keep_vllm_s_defaults() -> None:
    unset = {"revision", "tokenizer_revision", "quantization", "max_model_len", "distributed_executor_backend"}
    assert not unset & set(engine_arguments(model()))


def test_sampling_arguments() -> None:
    request = ChatRequest((ChatMessage("user", "?"),), seed=7, schema={"type": "object"})
    settings = model(temperature=0.3, top_p=0.9, max_tokens=50)
    assert sampling_arguments(settings, request) == {"temperature": 0.3, "top_p": 0.9, "max_tokens": 50, "seed": 7}


@pytest.mark.parametrize(
    ("finish", "cached", "expected"),
    [
        ("stop", 0, ChatReply("text", "stop", Tokens(requests=1, prompt=3, completion=2))),
        ("length", 2, ChatReply("text", "length", Tokens(requests=1, prompt=3, cached=2, completion=2))),
        ("stop", None, ChatReply("text", "stop", Tokens(requests=1, prompt=3, completion=2))),
        (
            "abort",
            0,
            Failure(
                Reason.TEXT_ENGINE_FAILED,
                "vllm ended the request: abort",
                Tokens(requests=1, prompt=3, completion=2),
            ),
        ),
    ],
)
def test_reply_of_a_finished_request(finish: str, cached: int | None, expected: ChatReply | Failure) -> None:
    completion = SimpleNamespace(text="text", finish_reason=finish, token_ids=[8, 9])
    output = SimpleNamespace(prompt_token_ids=[1, 2, 3], outputs=[completion], num_cached_tokens=cached)
    assert reply_of(output) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("cannot read /data/me/models/big-7b/config.json here", "cannot read big-7b/config.json here"),
        ("'/data/me/models/big-7b' has no weights", "'big-7b' has no weights"),
        ("see ~/.cache/hub/x and a/b, 1/2", "see x and a/b, 1/2"),
        ("two\n  lines", "two lines"),
        ("long " * 100, ("long " * 100)[:200]),
    ],
)
def test_public_text_has_no_path(message: str, expected: str) -> None:
    assert public_text(message, model(model="/data/me/models/big-7b")) == expected


@pytest.mark.parametrize(
    ("installed", "changes", "expected"),
    [
        ("vllm", {}, "maker/model-8b@unpinned vllm 1.2"),
        ("vllm", {"revision": "abc"}, "maker/model-8b@abc vllm 1.2"),
        ("vllm", {"model": "/data/me/big-7b"}, "big-7b@unpinned vllm 1.2"),
        ("vllm-other", {}, "maker/model-8b@unpinned vllm 1.2"),
    ],
)
def test_version(monkeypatch: pytest.MonkeyPatch, installed: str, changes: dict[str, Any], expected: str) -> None:
    _install(monkeypatch, installed)
    assert vllm_model.version(model(**changes)) == expected
    assert vllm_model.version() == "1.2"


def test_without_vllm_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, None)
    for call in (vllm_model.version, lambda: VllmChat(model())):
        with pytest.raises(EngineUnavailable, match=r"vllm is not installed: pip install 'parley\[gpu\]'"):
            call()


@pytest.mark.parametrize(
    ("modules", "changes", "said"),
    [
        ({}, {"model": "/data/me/gone"}, "vllm: there is no directory gone with a checkpoint"),
        ({"vllm": None}, {}, "vllm does not load"),
        ({"vllm.platforms": None}, {}, "vllm does not load"),
        ({}, {}, "vllm finds no GPU"),
    ],
    ids=["no such directory", "no package", "broken package", "no GPU"],
)
def test_a_start_that_cannot_succeed_says_why(
    monkeypatch: pytest.MonkeyPatch, modules: dict[str, None], changes: dict[str, Any], said: str
) -> None:
    _install(monkeypatch, "vllm")
    monkeypatch.setattr(vllm_model, "set_environment", lambda: None)
    no_device = SimpleNamespace(current_platform=SimpleNamespace(device_type=""))
    for name, module in ({"vllm": SimpleNamespace(), "vllm.platforms": no_device} | modules).items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(EngineUnavailable, match=said) as raised:
        asyncio.run(VllmChat(model(**changes)).start())
    assert "\n" not in str(raised.value) and "/data" not in str(raised.value)


def test_the_environment_is_quiet_unless_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"VLLM_LOGGING_LEVEL": "INFO"}
    monkeypatch.setattr(os, "environ", environment)
    set_environment()
    assert environment["VLLM_NO_USAGE_STATS"] == environment["DO_NOT_TRACK"] == environment[END_WITH_PARENT] == "1"
    assert environment["VLLM_LOGGING_STREAM"] == "ext://sys.stderr"
    assert environment["VLLM_LOGGING_LEVEL"] == "INFO"


PARENT = """
import multiprocessing, os, signal, time
from pipeline.engines.text._chat.vllm_orphans import end_with_parent

def hold():
    end_with_parent()
    os.write(1, b"held")
    time.sleep(3)
    os.write(1, b" on")

if __name__ == "__main__":
    multiprocessing.get_context("fork").Process(target=hold).start()
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("asked", "ends"), [("1", True), ("", False)])
def test_process_of_a_killed_parent(asked: str, ends: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT], env=os.environ | {END_WITH_PARENT: asked}, capture_output=True, timeout=60
    )
    assert done.stdout == (b"held" if ends else b"held on")


def test_the_plugin_does_nothing_in_a_process_without_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(END_WITH_PARENT, "1")
    vllm_orphans.end_with_parent()
    assert not [thread for thread in threading.enumerate() if thread.name == "end-with-parent"]


IMPORTS = """
import sys
import pipeline.cli.main, pipeline.job.run, pipeline.job.worker
from pipeline.engines.registry import ENGINES, load_engine
import pipeline.engines.text._chat.vllm_model, pipeline.engines.text._chat.vllm_orphans
load_engine("text", "rules")
print(sorted(name for name in sys.modules if name.split(".")[0] in ("vllm", "torch", "transformers")))
"""


def test_other_engines_do_not_import_vllm() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


def _install(monkeypatch: pytest.MonkeyPatch, distribution: str | None) -> None:
    """Make it look as if vLLM were installed under that name, version 1.2."""
    metadata = vllm_model.importlib.metadata

    def version_of(name: str) -> str:
        if name != distribution:
            raise metadata.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(metadata, "version", version_of)
    names = {"vllm": [distribution]} if distribution else {}
    monkeypatch.setattr(metadata, "packages_distributions", lambda: names)
