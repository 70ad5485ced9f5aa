"""vLLM in this process: one engine for all tests of this file."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, ChatRequest, Failure
from pipeline.engines.text._chat.vllm_model import VllmChat
from pipeline.engines.text.vllm import VllmModel
from tests.peers.asking import ANSWER_S, SCHEMA, TOO_LONG, ask_all, chat_request, vllm_settings
from tests.peers.processes import engine_processes, gone_in_time
from tests.peers.servers import CONTEXT, READY_S, Checkpoints, need_vllm_here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(READY_S + ANSWER_S)]


@dataclass
class Loaded:
    chat: VllmChat
    runner: asyncio.Runner

    def ask(self, *requests: ChatRequest) -> list[ChatReply | Failure]:
        return self.runner.run(ask_all(self.chat, requests))

    def unfinished(self) -> int:
        return int(self.chat._engine.output_processor.get_num_unfinished_requests())


@pytest.fixture(scope="module")
def loaded(checkpoints: Checkpoints) -> Iterator[Loaded]:
    need_vllm_here()
    with asyncio.Runner() as runner:
        chat = VllmChat(vllm_settings(checkpoints))
        runner.run(chat.start())
        processes = engine_processes()
        yield Loaded(chat, runner)
        runner.run(chat.close())
        runner.run(chat.close())  # a second time does nothing
        assert processes and gone_in_time(processes)


def test_guided_requests_all_in_flight_give_valid_json(loaded: Loaded) -> None:
    replies = loaded.ask(*(chat_request(f"Question {number}?", number, SCHEMA) for number in range(32)))
    texts = [reply.text for reply in replies if isinstance(reply, ChatReply) and reply.finish == "stop"]
    assert len(replies) == 32 and len(texts) > 16
    for text in texts:
        value = json.loads(text)  # strictly: no raw control characters
        assert set(value) == {"question", "clear"} and isinstance(value["clear"], bool)


def test_same_seed_same_text_whatever_else_is_in_flight(loaded: Loaded) -> None:
    request = chat_request("The same question?", seed=5)
    alone = loaded.ask(request)[0]
    crowded = loaded.ask(*(chat_request(f"Another {number}?", number) for number in range(20)), request)[-1]
    other = loaded.ask(chat_request("The same question?", seed=6))[0]
    assert isinstance(alone, ChatReply) and isinstance(crowded, ChatReply) and isinstance(other, ChatReply)
    assert alone.text == crowded.text != other.text


def test_seeded_prompts_that_do_not_fit_into_one_step(loaded: Loaded) -> None:
    requests = [chat_request(f"{number} " + "word " * (CONTEXT // 2), seed=number) for number in range(12)]
    assert all(isinstance(reply, ChatReply) for reply in loaded.ask(*requests))


def test_tokens_are_counted_and_a_shared_beginning_is_cached(loaded: Loaded) -> None:
    beginning = "The beginning of all of these prompts. " * 30
    first, second = (loaded.ask(chat_request(f"{beginning} Question {number}?"))[0].spent for number in range(2))
    assert (first.requests, first.reused, first.cached) == (1, 0, 0)
    assert first.completion > 0
    assert second.prompt == first.prompt
    assert second.prompt / 2 < second.cached < second.prompt  # in whole blocks, of 128 tokens on a CPU


def test_answer_cut_off_at_the_limit(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded.chat, "_settings", loaded.chat._settings.model_copy(update={"max_tokens": 3}))
    (reply,) = loaded.ask(chat_request("Long?", schema=SCHEMA))
    assert isinstance(reply, ChatReply) and reply.finish == "length" and reply.spent.completion == 3


@pytest.mark.parametrize(
    ("request_", "reason", "said"),
    [
        (chat_request(TOO_LONG), Reason.TOO_LONG, "the model takes 2047"),
        (chat_request("Hm?", schema={"type": "nonsense"}), Reason.TEXT_ENGINE_FAILED, "nonsense"),
        (chat_request("Half of a \ud83d"), Reason.TEXT_ENGINE_FAILED, "not valid Unicode"),
    ],
    ids=["longer than the context", "schema that is none", "no Unicode"],
)
def test_what_is_wrong_with_one_request_is_a_value(
    loaded: Loaded, request_: ChatRequest, reason: Reason, said: str
) -> None:
    failure, reply = loaded.ask(request_, chat_request("Fine?"))
    assert isinstance(failure, Failure) and failure.reason is reason and said in failure.detail
    assert isinstance(reply, ChatReply)


def test_cancelled_request_is_aborted_in_the_engine(loaded: Loaded) -> None:
    async def cancel_midway() -> int:
        asked = asyncio.create_task(loaded.chat.complete(chat_request("Never mind?", schema=SCHEMA)))
        while not loaded.unfinished():
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        return loaded.unfinished()

    assert loaded.runner.run(cancel_midway()) == 0
    assert isinstance(loaded.ask(chat_request("And now?"))[0], ChatReply)


def test_template_options_reach_the_template(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    request = chat_request("Think?")
    plain = loaded.ask(request)[0].spent.prompt
    changed = loaded.chat._settings.model_copy(update={"template_options": {"enable_thinking": False}})
    monkeypatch.setattr(loaded.chat, "_settings", changed)
    assert loaded.ask(request)[0].spent.prompt > plain


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "/no/such/checkpoint"}, "no directory checkpoint"),
        ({"model": "nobody/no-such-model"}, "cannot load nobody/no-such-model"),
        ({"dtype": "float1000"}, "cannot load tiny-qwen3"),
        ({"max_model_len": 1_000_000}, "cannot load tiny-qwen3"),
    ],
    ids=["no directory", "unknown on the hub, or no hub", "no such type", "longer than the model can"],
)
def test_model_that_cannot_load(checkpoints: Checkpoints, changes: dict[str, Any], said: str) -> None:
    need_vllm_here()
    settings: VllmModel = vllm_settings(checkpoints, **changes)
    with pytest.raises(EngineUnavailable, match=said) as raised:
        asyncio.run(VllmChat(settings).start())
    assert "\n" not in str(raised.value)
    assert str(checkpoints.directory.parent) not in str(raised.value) and raised.value.__cause__ is None


def test_checkpoint_whose_weights_break_off(checkpoints: Checkpoints, tmp_path: Path) -> None:
    need_vllm_here()
    broken = tmp_path / "broken"
    shutil.copytree(checkpoints.directory, broken)
    os.truncate(broken / "model.safetensors", 100_000)
    before = engine_processes()
    with pytest.raises(EngineUnavailable, match="cannot load broken: ") as raised:
        asyncio.run(VllmChat(vllm_settings(checkpoints, model=str(broken))).start())
    assert "\n" not in str(raised.value) and str(tmp_path) not in str(raised.value)
    assert gone_in_time([process for process in engine_processes() if process not in before])


def test_checkpoint_whose_template_takes_no_system_message(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{% for message in messages %}{{ raise_exception('no ' ~ message['role']) }}{% endfor %}"
    changed = loaded.chat._settings.model_copy(update={"template_options": {"chat_template": template}})
    monkeypatch.setattr(loaded.chat, "_settings", changed)
    with pytest.raises(EngineUnavailable, match=r"chat template of tiny-qwen3 does not take .*: no system"):
        loaded.chat._check_template()
