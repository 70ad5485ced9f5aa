"""A server in a thread of the test: real HTTP on a real port, answers from a function of the test."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.servers import wire
from tests.servers.responder import respond

Body = dict[str, Any]
Said = str | dict[str, Any] | tuple[int, dict[str, Any]] | web.StreamResponse
Answer = Callable[[Body], Said | Awaitable[Said]]
"""From a request's body to the reply's text, a whole body, a status and a body, or a response."""


class ScriptedServer:
    """`with ScriptedServer(answer) as server:` listens at `server.url`, on this machine only.

    `requests` are the bodies of the chat requests in the order of their coming, `headers` theirs. `models` are the
    names listed at /v1/models; None: there is no such list. An exception in `answer` is raised again when the block
    ends: it is the test's own mistake.
    """

    def __init__(self, answer: Answer = respond, models: tuple[str, ...] | None = ("scripted",)) -> None:
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._answer = answer
        self._models = models
        self._mistakes: list[BaseException] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        assert self.url, "the server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        if self._mistakes and error is None:
            raise self._mistakes[0]

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        application = web.Application(client_max_size=2**26)
        self._add_routes(application)
        if self._models is not None:
            application.router.add_get("/v1/models", self._list)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(wire.models(self._models or ()))

    def _add_routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/chat/completions", self._chat)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        return _response(body, await self._said(request, body))

    async def _said(self, request: web.Request, body: Body) -> Any:
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        try:
            said = self._answer(body)
            return await said if inspect.isawaitable(said) else said
        except Exception as error:  # whatever a test's function raises: the client gets a 500, the test the error
            self._mistakes.append(error)
            raise


def _response(body: Body, said: Any) -> web.StreamResponse:
    match said:
        case str():
            return web.json_response(wire.completion(body, said))
        case (int(status), dict(content)):
            return web.json_response(content, status=status)
        case dict():
            return web.json_response(said)
        case web.StreamResponse():
            return said
    raise TypeError(f"an answer cannot be a {type(said).__name__}")
