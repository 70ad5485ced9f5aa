"""The store of answers: what is kept, what is reused, what a broken store does."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import fs

from manifests.errors import EngineDied
from manifests.reasons import Reason
from manifests.storage import Place, open_place
from pipeline.engines.contract import ChatMessage, ChatReply, ChatRequest, Failure, Tokens
from pipeline.engines.text._chat.answers import CachedChatModel, answer_key

REQUEST = ChatRequest((ChatMessage("system", "be brief"), ChatMessage("user", "what is a river?")), seed=3)
REPLY = ChatReply("流水", "stop", Tokens(requests=1, prompt=10, completion=2))
REUSED = Tokens(reused=1)


class Model:
    """A ChatModel that counts what it is asked; `say` decides what comes back."""

    name, version = "openai", "m@1"

    def __init__(self, say: Callable[[], ChatReply | Failure] = lambda: REPLY) -> None:
        self.asked: list[ChatRequest] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._say = say

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        self.asked.append(request)
        await self.go_on.wait()
        return self._say()


def remember(folder: Path, model: Model, identity: dict[str, object] | None = None) -> CachedChatModel:
    return CachedChatModel(model, open_place(folder), {"model": "m"} if identity is None else identity)


def ask_all(store: CachedChatModel, *requests: ChatRequest) -> list[ChatReply | Failure]:
    async def all_of_them() -> list[ChatReply | Failure]:
        results = [await store.complete(request) for request in requests]
        await store.close()
        return results

    return asyncio.run(all_of_them())


def test_a_later_run_does_not_ask_again(tmp_path: Path) -> None:
    model = Model()
    assert ask_all(remember(tmp_path, model), REQUEST, REQUEST) == [REPLY, replace(REPLY, spent=REUSED)]
    assert ask_all(remember(tmp_path, model), REQUEST) == [replace(REPLY, spent=REUSED)]
    assert len(model.asked) == 1


def line_of(folder: Path) -> tuple[Path, bytes, bytes]:
    """The only file of answers, and the key and the answer in its only line."""
    (path,) = folder.glob("*.answers")
    (line,) = path.read_bytes().splitlines()
    return path, *line.split(b" ", 1)


def test_an_answer_is_one_line_without_the_prompt(tmp_path: Path) -> None:
    ask_all(remember(tmp_path, Model()), REQUEST)
    path, key, answer = line_of(tmp_path)
    assert key.decode() == answer_key('{"model":"m"}', REQUEST)
    assert json.loads(answer) == {"text": "流水", "finish": "stop"}
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, path.with_suffix(".index").name]


def test_a_store_with_a_file_for_each_answer_is_still_read(tmp_path: Path) -> None:
    key, model = answer_key('{"model":"m"}', REQUEST), Model()
    (tmp_path / key[:2]).mkdir()
    (tmp_path / key[:2] / f"{key}.json").write_text('{"text": "old", "finish": "stop"}')
    assert ask_all(remember(tmp_path, model), REQUEST) == [ChatReply("old", "stop", REUSED)]
    assert not model.asked


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, seed=4),
        replace(REQUEST, schema={"type": "object"}),
        replace(REQUEST, messages=REQUEST.messages[:1]),
        replace(REQUEST, messages=REQUEST.messages[::-1]),
        replace(REQUEST, messages=(REQUEST.messages[0], ChatMessage("assistant", "what is a river?"))),
    ],
    ids=["seed", "schema", "fewer messages", "order", "role"],
)
def test_another_request_is_another_question(tmp_path: Path, other: ChatRequest) -> None:
    model = Model()
    ask_all(remember(tmp_path, model), REQUEST, other)
    assert model.asked == [REQUEST, other]


def test_another_identity_is_another_question(tmp_path: Path) -> None:
    model = Model()
    for identity in ({"model": "m"}, {"model": "m", "revision": "2"}):
        ask_all(remember(tmp_path, model, identity), REQUEST)
    assert len(model.asked) == 2


def test_the_order_of_names_does_not_matter(tmp_path: Path) -> None:
    model = Model()
    for identity in ({"model": "m", "top_p": 1}, {"top_p": 1, "model": "m"}):
        ask_all(remember(tmp_path, model, identity), REQUEST)
    assert len(model.asked) == 1


def test_a_failure_is_not_stored(tmp_path: Path) -> None:
    says = iter([Failure(Reason.TEXT_ENGINE_FAILED, "busy"), REPLY])
    results = ask_all(remember(tmp_path, Model(lambda: next(says))), REQUEST, REQUEST)
    assert results == [Failure(Reason.TEXT_ENGINE_FAILED, "busy"), REPLY]


@pytest.mark.parametrize(
    "content",
    [b"", b'{"text": "a', b"[]", b'{"text": 1, "finish": "stop"}', b'{"text": "a"}', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "torn", "no object", "wrong type", "no finish", "no text at all", "endlessly nested"],
)
def test_a_question_with_a_broken_answer_is_asked_again(tmp_path: Path, content: bytes) -> None:
    model = Model()
    ask_all(remember(tmp_path, model), REQUEST)
    path, key, _ = line_of(tmp_path)
    path.write_bytes(key + b" " + content + b"\n")
    assert ask_all(remember(tmp_path, model), REQUEST, REQUEST) == [REPLY, replace(REPLY, spent=REUSED)]
    assert len(model.asked) == 2


def test_a_text_with_a_lone_surrogate_is_stored(tmp_path: Path) -> None:
    odd = ChatReply("half \ud83d", "length", Tokens(requests=1))
    request = replace(REQUEST, messages=(ChatMessage("user", "\ud800"),))
    assert ask_all(remember(tmp_path, Model(lambda: odd)), request, request)[1] == replace(odd, spent=REUSED)


def test_a_store_that_does_not_work_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    results = ask_all(remember(tmp_path / "file", Model()), REQUEST, replace(REQUEST, seed=9))
    assert results == [REPLY, REPLY]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(tmp_path) not in caplog.text


def test_any_filesystem(tmp_path: Path) -> None:
    model = Model()
    place = Place(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "store")
    assert not place.is_local
    results = ask_all(CachedChatModel(model, place, {}), REQUEST, REQUEST)
    assert results == [REPLY, replace(REPLY, spent=REUSED)]


async def _ask_at_once(store: CachedChatModel, model: Model, number: int) -> list[asyncio.Task[ChatReply | Failure]]:
    model.go_on.clear()
    tasks = [asyncio.create_task(store.complete(REQUEST)) for _ in range(number)]
    while not model.asked:
        await asyncio.sleep(0.001)
    return tasks


def test_equal_questions_in_flight_are_asked_once(tmp_path: Path) -> None:
    async def test() -> None:
        model = Model()
        store = remember(tmp_path, model)
        tasks = await _ask_at_once(store, model, 5)
        model.go_on.set()
        results = await asyncio.gather(*tasks)
        assert results == [REPLY] + [replace(REPLY, spent=REUSED)] * 4
        assert len(model.asked) == 1

    asyncio.run(asyncio.wait_for(test(), 10))


def test_a_shared_failure_is_paid_once(tmp_path: Path) -> None:
    async def test() -> None:
        failure = Failure(Reason.REFUSED, "no", Tokens(requests=1, prompt=5))
        model = Model(lambda: failure)
        tasks = await _ask_at_once(remember(tmp_path, model), model, 2)
        model.go_on.set()
        assert await asyncio.gather(*tasks) == [failure, Failure(Reason.REFUSED, "no")]

    asyncio.run(asyncio.wait_for(test(), 10))


def test_a_waiting_request_asks_if_the_asking_one_is_canceled(tmp_path: Path) -> None:
    async def test() -> None:
        model = Model()
        tasks = await _ask_at_once(remember(tmp_path, model), model, 3)
        tasks[0].cancel()
        await asyncio.sleep(0.05)
        model.go_on.set()
        assert await tasks[1] == REPLY
        assert await tasks[2] == replace(REPLY, spent=REUSED)
        assert len(model.asked) == 2

    asyncio.run(asyncio.wait_for(test(), 10))


def test_canceling_a_waiting_request_stops_no_other(tmp_path: Path) -> None:
    async def test() -> None:
        model = Model()
        tasks = await _ask_at_once(remember(tmp_path, model), model, 3)
        tasks[1].cancel()
        await asyncio.sleep(0.05)
        model.go_on.set()
        assert await tasks[0] == REPLY
        assert await tasks[2] == replace(REPLY, spent=REUSED)
        assert len(model.asked) == 1

    asyncio.run(asyncio.wait_for(test(), 10))


def test_a_dead_engine_ends_every_waiting_request(tmp_path: Path) -> None:
    def die() -> ChatReply:
        raise EngineDied("gone")

    async def test() -> None:
        model = Model(die)
        tasks = await _ask_at_once(remember(tmp_path, model), model, 3)
        model.go_on.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [EngineDied] * 3

    asyncio.run(asyncio.wait_for(test(), 10))
