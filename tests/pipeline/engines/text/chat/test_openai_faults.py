"""`OpenAIChat` against the faulty server: a real process that resets, drips, lies and goes away."""

import asyncio
import json
import socket
import time
from collections import Counter
from typing import Any

import pytest

from manifests.errors import EngineDied
from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, ChatRequest, Failure, Tokens
from pipeline.engines.text._chat.openai_model import OpenAIChat
from tests.servers.asking import QUICK, ask, converse, question, settings
from tests.servers.faults import CONTENT_FAULTS, TRANSPORT_FAULTS
from tests.servers.faulty import FaultyServer
from tests.tables import each_row


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def questions(number: int) -> list[ChatRequest]:
    return [question(f"Tell me about the river number {i}.", seed=i) for i in range(number)]


def driven(server: FaultyServer, **serving: Any) -> Any:
    """Set it up as a job does, with a time-out that is far from both the quick and the slow drip."""
    return settings(
        server.url, "faulty", {"concurrency": 32, "timeout_s": 5, "attempts": 6, "patience_s": 60} | serving
    )


@pytest.fixture(scope="module")
def stormy() -> tuple[list[ChatReply | Failure], dict[str, Any]]:
    """Ask 400 questions; three in ten of the answers are faulty."""
    with FaultyServer(fault_share=0.3, seed=1, latency_ms=10, drip_s=20) as server:
        started = time.monotonic()
        results = ask(driven(server), questions(400), limit_s=240)
        stats = server.stats()
    print(f"{400 / (time.monotonic() - started):.0f} rows/s; {stats['requests']} requests; faults: {stats['faults']}")
    return results, stats


def test_every_request_gets_a_result(stormy: tuple[list[ChatReply | Failure], dict[str, Any]]) -> None:
    results, stats = stormy
    assert len(results) == 400
    assert stats["faults"].keys() == {*TRANSPORT_FAULTS, *CONTENT_FAULTS}
    failures = [result for result in results if isinstance(result, Failure)]
    assert {failure.reason for failure in failures} <= {Reason.TEXT_ENGINE_FAILED}
    assert len(failures) <= 4  # six faults of the transport in a row: 400 x 0.17 ** 6 is far below one


def test_every_token_is_counted_and_none_is_paid_twice(
    stormy: tuple[list[ChatReply | Failure], dict[str, Any]],
) -> None:
    results, stats = stormy
    spent = sum((result.spent for result in results), Tokens())
    billed = stats["billed"]
    assert (spent.prompt, spent.cached, spent.completion) == (
        billed["prompt"],
        billed["cached"],
        billed["completion"],
    )
    assert spent.requests == billed["answers"] == sum(isinstance(result, ChatReply) for result in results)
    assert set(stats["good"].values()) == {1}


def test_texts_arrive_as_the_server_wrote_them(stormy: tuple[list[ChatReply | Failure], dict[str, Any]]) -> None:
    texts = [result.text for result in stormy[0] if isinstance(result, ChatReply)]
    kinds = Counter("think" if text.startswith("<think>") else "none" if not text else "other" for text in texts)
    good = [text for text in texts if text.startswith('{"question": ') and text.endswith('"}') and len(text) < 300]
    assert len(good) > 300
    assert all(json.loads(text) for text in good)
    assert kinds["think"] and kinds["none"]


@each_row("fault", sorted(TRANSPORT_FAULTS.keys() - {"slow-drip"}))
def test_each_transport_fault_alone(fault: str) -> None:
    """Half of the answers are spoiled in the same way; no request needs more than a few repetitions."""
    with FaultyServer(fault_share=0.5, seed=2, faults=fault) as server:
        results = ask(driven(server, attempts=25, concurrency=16), questions(16), limit_s=120)
        stats = server.stats()
    assert [type(result) for result in results] == [ChatReply] * 16
    assert stats["faults"][fault] > 0
    assert stats["billed"]["answers"] == 16


def test_a_server_that_restarts_costs_nothing() -> None:
    async def interrupted(server: FaultyServer) -> list[ChatReply | Failure]:
        chat = OpenAIChat(driven(server, attempts=2, concurrency=4), QUICK)
        await chat.start()
        work = asyncio.gather(*(chat.complete(request) for request in questions(60)))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(1.0)  # hundreds of refused connections, at the pace of this test
        assert not work.done()
        await asyncio.to_thread(server.start)
        results = await work
        await chat.close()
        return results

    with FaultyServer(fault_share=0, latency_ms=50) as server:
        results = asyncio.run(asyncio.wait_for(interrupted(server), 60))
        assert server.stats()["requests"] > 0
    assert [type(result) for result in results] == [ChatReply] * 60


def test_a_server_that_is_gone_for_good_is_dead() -> None:
    async def killed(server: FaultyServer) -> list[Any]:
        chat = OpenAIChat(driven(server, attempts=2, concurrency=4, patience_s=1), QUICK)
        await chat.start()
        work = asyncio.gather(*(chat.complete(request) for request in questions(60)), return_exceptions=True)
        await asyncio.sleep(0.3)
        server.kill()
        results = await work
        await chat.close()
        return results

    with FaultyServer(fault_share=0, latency_ms=50) as server:
        results = asyncio.run(asyncio.wait_for(killed(server), 60))
    kinds = Counter(type(result) for result in results)
    assert kinds.keys() == {ChatReply, EngineDied}  # no row pays for the death with its attempts
    died = next(str(result) for result in results if isinstance(result, EngineDied))
    assert "has not answered for" in died and died.endswith(": no connection")


def test_a_server_that_never_answers_is_dead() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        model = settings(url, serving={"timeout_s": 0.2, "patience_s": 0.5, "attempts": 1000})
        with pytest.raises(EngineDied, match=r"no answer in time$"):
            ask(model, questions(3), start=False, limit_s=30)


def test_a_server_that_is_not_there_is_dead() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(EngineDied, match=r"no connection$"):
            ask(settings(url, serving={"patience_s": 0.5, "attempts": 1}), questions(3), start=False, limit_s=30)


def test_a_lone_request_that_always_times_out_is_a_failure() -> None:
    with FaultyServer(fault_share=1, drip_s=60, faults="slow-drip") as server:
        results = asyncio.run(
            asyncio.wait_for(converse(OpenAIChat(driven(server, timeout_s=1.5, attempts=3), QUICK), questions(1)), 30)
        )
    assert results == [Failure(Reason.TEXT_ENGINE_FAILED, "no answer in time, 3 attempts")]
