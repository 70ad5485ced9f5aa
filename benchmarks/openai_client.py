"""What our client for language models costs over the bare library.

    python benchmarks/openai_client.py [--requests 100] [--rounds 30] [--concurrency 32] [--latency-ms 20]

One local server process answers everything after the same latency. Three clients ask it as many questions each, in
turn, in an order that changes with each round: the bare `AsyncOpenAI` behind a semaphore; `OpenAIChat` with its
limiter, retries and reading of the answer; the same with the store of answers, empty. Each question is new, so nothing
is reused but in the fourth row, which asks the store's questions again.

Printed are, as medians over the rounds, rows per second and CPU milliseconds of the asking process for a row, and both
as ratios to the bare client of the same round (more than 1 is better). On a busy machine the CPU ratio is the steadier
one. The server's own limit, without any client library, comes first: it must be well above.
"""

import argparse
import asyncio
import gc
import itertools
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import openai

from manifests.storage import open_place
from pipeline.engines.contract import ChatMessage, ChatModel, ChatReply, ChatRequest
from pipeline.engines.text._chat.answers import CachedChatModel
from pipeline.engines.text._chat.openai_model import OpenAIChat, identity
from pipeline.engines.text.openai import OpenAIModel
from tests.servers.faulty import MODEL, FaultyServer

SYSTEM = 'You rewrite instructions as spoken questions. Answer with an object like {"question": "..."}. ' * 8

Ask = Callable[[ChatRequest], Awaitable[object]]
numbers = itertools.count()


def questions(count: int) -> list[ChatRequest]:
    """New ones at every call."""
    return [
        ChatRequest(
            (
                ChatMessage("system", SYSTEM),
                ChatMessage("user", f"Explain in some detail how rivers shape the valley number {next(numbers)}."),
            ),
            seed=1,
        )
        for _ in range(count)
    ]


def bare_client(settings: OpenAIModel) -> tuple[openai.AsyncOpenAI, Ask]:
    client = openai.AsyncOpenAI(
        base_url=settings.serving.base_url, api_key="EMPTY", max_retries=0, timeout=settings.serving.timeout_s
    )
    places = asyncio.Semaphore(settings.serving.concurrency)

    async def ask(request: ChatRequest) -> object:
        async with places:
            answer = await client.chat.completions.create(
                model=settings.model,
                messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
                temperature=settings.temperature,
                top_p=settings.top_p,
                max_tokens=settings.max_tokens,
                seed=request.seed,
            )
        return answer.choices[0].message.content

    return client, ask


def checked(model: ChatModel) -> Ask:
    async def ask(request: ChatRequest) -> object:
        reply = await model.complete(request)
        if not isinstance(reply, ChatReply):
            raise RuntimeError(f"the server failed: {reply}")
        return reply

    return ask


class Pace(NamedTuple):
    """Rows per second of time and of CPU time."""

    wall: float
    cpu: float


async def measure(ask: Ask, asked: list[ChatRequest]) -> Pace:
    """All questions are handed over at once."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(ask(request) for request in asked))
    return Pace(len(asked) / (time.perf_counter() - wall), len(asked) / (time.process_time() - cpu))


async def server_limit(settings: OpenAIModel, requests: int) -> float:
    """Answers per second to prepared bytes on plain sockets, which cost the asking side next to nothing."""
    host, port = str(settings.serving.base_url).removeprefix("http://").removesuffix("/v1").split(":")
    request = questions(1)[0]
    body = json.dumps(
        {"model": MODEL, "messages": [{"role": m.role, "content": m.content} for m in request.messages]}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def connection(count: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(count):
            writer.write(head + body)
            headers = await reader.readuntil(b"\r\n\r\n")
            length = headers.lower().split(b"content-length:")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    width = settings.serving.concurrency
    start = time.perf_counter()
    await asyncio.gather(*(connection(requests // width) for _ in range(width)))
    return requests // width * width / (time.perf_counter() - start)


async def compare(settings: OpenAIModel, requests: int, rounds: int, folder: str) -> None:
    print(f"the server's own limit: {await server_limit(settings, 10 * requests):,.0f} answers/s")
    client, bare = bare_client(settings)
    ours = OpenAIChat(settings)
    await ours.start()
    storing = CachedChatModel(ours, open_place(folder), identity(settings))
    asks = {"bare client": bare, "OpenAIChat": checked(ours), "with empty store": checked(storing)}
    paces: dict[str, list[Pace]] = {name: [] for name in (*asks, "from the store")}
    for ask in asks.values():
        await measure(ask, questions(requests))  # connections are made, code is warm
    for turn in range(rounds):
        for name in [*asks][turn % 3 :] + [*asks][: turn % 3]:
            asked = questions(requests)
            paces[name].append(await measure(asks[name], asked))
            if name == "with empty store":
                paces["from the store"].append(await measure(asks[name], asked))
    for name, seen in paces.items():
        print(_line(name, seen, paces["bare client"]))
    await client.close()
    await storing.close()


def _line(name: str, seen: list[Pace], bare: list[Pace]) -> str:
    wall, cpu = (statistics.median(pace[i] for pace in seen) for i in (0, 1))
    ratio, cpu_ratio = (
        statistics.median(one[i] / other[i] for one, other in zip(seen, bare, strict=True)) for i in (0, 1)
    )
    return f"{name:17} {wall:7,.0f} rows/s, ratio {ratio:6.3f}   {1000 / cpu:6.3f} ms CPU, ratio {cpu_ratio:6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="our client against the bare library")
    parser.add_argument("--requests", type=int, default=100, help="in each round, of each client")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    options = parser.parse_args()
    logging.disable()
    with (
        FaultyServer(fault_share=0, latency_ms=options.latency_ms) as server,
        tempfile.TemporaryDirectory(prefix="answers-") as folder,
    ):
        settings = OpenAIModel(
            engine="openai",
            model=MODEL,
            serving={"base_url": server.url, "concurrency": options.concurrency},  # type: ignore[arg-type]
        )
        asyncio.run(compare(settings, options.requests, options.rounds, folder))


if __name__ == "__main__":
    main()
