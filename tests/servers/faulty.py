"""A server that misbehaves in every way that servers do, a known share of the time, the same way in every run.

    python -m tests.servers.faulty --port 0 --fault-share 0.3 --seed 1 --latency-ms 20

It prints its URL on a line and serves until it is stopped. Whether and how a request goes wrong (see `faults`) depends
on the seed, the request's body and how often this body has been seen, so that a repeated request fares differently,
and a repeated run does not. GET /stats tells what was asked and billed, GET /reset forgets it.
"""

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.servers import wire
from tests.servers.faults import CONTENT_FAULTS, FAULTS, HARMLESS, TRANSPORT_FAULTS
from tests.servers.responder import respond

MODEL = "faulty"
_ROOT = Path(__file__).parents[2]


class Ledger:
    """What was asked and what was answered for money. A body is named by the SHA-256 of its bytes."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        self.billed: Counter[str] = Counter()

    def bill(self, answer: Mapping[str, Any]) -> None:
        usage = answer["usage"]
        self.billed["answers"] += 1
        self.billed["prompt"] += usage["prompt_tokens"]
        self.billed["cached"] += usage["prompt_tokens_details"]["cached_tokens"]
        self.billed["completion"] += usage["completion_tokens"]

    def stats(self) -> dict[str, object]:
        return {
            "requests": sum(self.seen.values()),
            "faults": dict(self.faults),
            "billed": dict(self.billed),
            "good": dict(self.good),
        }


class Service:
    """The request handlers. `drip_s` is how long a slow drip takes; a quick one takes a twentieth of it."""

    all_faults: Sequence[str] = FAULTS
    model = MODEL

    def __init__(self, fault_share: float, seed: int, latency_s: float, drip_s: float, faults: Sequence[str]) -> None:
        self._fault_share = fault_share
        self._seed = seed
        self._latency_s = latency_s
        self._drip_s = drip_s
        self._faults = tuple(faults)
        self._ledger = Ledger()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=2**26)
        self._add_routes(application)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/stats", self._stats)
        application.router.add_get("/reset", self._reset)
        return application

    def _add_routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/chat/completions", self._chat)

    async def _fate(self, key: str) -> str | None:
        """How the request that `key` names goes wrong this time, told after the server's latency."""
        self._ledger.seen[key] += 1
        fault = self._draw(key, self._ledger.seen[key])
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        if fault is not None:
            self._ledger.faults[fault] += 1
        return fault

    def _drip_of(self, fault: str) -> float:
        return self._drip_s / (20 if fault == "quick-drip" else 1)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        key = hashlib.sha256(data).hexdigest()
        fault = await self._fate(key)
        body = json.loads(data)
        good = respond(body)
        content, finish = CONTENT_FAULTS[fault](body, good) if fault in CONTENT_FAULTS else (good, "stop")
        answer = wire.completion(body, content, finish)
        encoded = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
        if fault in TRANSPORT_FAULTS:
            try:
                response = await TRANSPORT_FAULTS[fault](request, encoded, self._drip_of(fault))
            except ConnectionResetError:  # the client has lost patience: it gets nothing, and pays for nothing
                return web.Response()
        else:
            response = web.Response(body=encoded, content_type="application/json")
        if fault not in TRANSPORT_FAULTS or fault in HARMLESS:
            self._ledger.bill(answer)
        if fault is None or fault in HARMLESS:
            self._ledger.good[key] += 1
        return response

    def _draw(self, key: str, time_seen: int) -> str | None:
        digest = hashlib.sha256(f"{self._seed} {key} {time_seen}".encode()).digest()
        if int.from_bytes(digest[:8]) >= self._fault_share * 2**64:
            return None
        return self._faults[int.from_bytes(digest[8:16]) % len(self._faults)]

    async def _models(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(wire.models((self.model,)))

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._ledger.stats())

    async def _reset(self, request: web.Request) -> web.StreamResponse:
        self._ledger = Ledger()
        return web.json_response({})


async def _serve(service: Service, port: int) -> None:
    runner = web.AppRunner(service.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


def _end_with_parent() -> None:
    """A test run that is killed leaves no server behind: its end of the pipe closes."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main(kind: type[Service] = Service) -> None:
    parser = argparse.ArgumentParser(description="a server with faults")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--fault-share", type=float, default=0.3, help="of all requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="of every answer")
    parser.add_argument("--drip-s", type=float, default=4.0, help="how long a slow drip takes")
    parser.add_argument("--faults", default=",".join(kind.all_faults), help="those to draw from")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when standard input closes")
    options = parser.parse_args()
    faults = options.faults.split(",")
    if unknown := set(faults) - set(kind.all_faults):
        parser.error(f"no fault {', '.join(sorted(unknown))}")
    if options.end_with_stdin:
        _end_with_parent()
    service = kind(options.fault_share, options.seed, options.latency_ms / 1000, options.drip_s, faults)
    asyncio.run(_serve(service, options.port))


class FaultyServer:
    """`with FaultyServer(fault_share=0.3, seed=1) as server:` runs it as a process; `server.url` is its URL.

    Keywords are the command's options. `kill` and `start` again, with a fixed port, make a server that goes away and
    comes back; its statistics start anew.
    """

    module = "tests.servers.faulty"

    def __init__(self, port: int = 0, **options: object) -> None:
        self.url = ""
        self._port = port
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        named = (part for key, value in self._options.items() for part in (f"--{key.replace('_', '-')}", str(value)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module, "--end-with-stdin", "--port", str(self._port), *named],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the server did not start"
        self._port = int(self.url.rsplit(":", 1)[1].split("/")[0])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def stats(self) -> dict[str, Any]:
        return self._get("stats")

    def reset(self) -> None:
        self._get("reset")

    def _get(self, verb: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url.replace("/v1", f"/{verb}"), timeout=10) as response:
            result: dict[str, Any] = json.loads(response.read())
        return result


if __name__ == "__main__":
    main()
