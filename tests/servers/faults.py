"""The ways in which the faulty server goes wrong: two literal tables, one of the transport, one of the texts."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from tests.servers import wire
from tests.servers.responder import keys_of, language_of

# Faults of the transport: nothing is billed. Each gets the request and a good answer, and gives the response.

MEDIA_TYPE = "media_type"
"""Where a request holds the media type of an answer that is no JSON."""


async def _too_many(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.json_response(wire.error("too many requests"), status=429)


async def _too_many_until(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.json_response(wire.error("too many requests"), status=429, headers={"Retry-After": "0.2"})


async def _internal_error(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.json_response(wire.error("internal error"), status=500)


async def _unavailable(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.Response(status=503, text="overloaded")


async def _reset(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    assert request.transport is not None
    connection: socket.socket = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends a reset
    request.transport.abort()
    return web.Response()


async def _truncated_body(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    response = web.StreamResponse(headers=_headers(request, answer))
    await response.prepare(request)
    await response.write(answer[: len(answer) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def _invalid_json(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.Response(body=answer[: len(answer) // 2], content_type="application/json")


async def _html(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.Response(text="<html><body>Please log in to the network.</body></html>", content_type="text/html")


async def _no_choices(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.json_response(json.loads(answer) | {"choices": [], "usage": None})


async def _drip(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    """The good answer, a few bytes at a time. A client that hangs up makes the write raise."""
    response = web.StreamResponse(headers=_headers(request, answer))
    await response.prepare(request)
    size = max(4, len(answer) // 100)
    pieces = [answer[i : i + size] for i in range(0, len(answer), size)]
    for piece in pieces:
        await asyncio.sleep(drip_s / len(pieces))
        await response.write(piece)
    await response.write_eof()
    return response


def _headers(request: web.Request, answer: bytes) -> dict[str, str]:
    return {"Content-Type": request.get(MEDIA_TYPE, "application/json"), "Content-Length": str(len(answer))}


Fault = Callable[[web.Request, bytes, float], Awaitable[web.StreamResponse]]
TRANSPORT_FAULTS: Mapping[str, Fault] = {
    "429": _too_many,
    "429-retry-after": _too_many_until,
    "500": _internal_error,
    "503": _unavailable,
    "reset": _reset,
    "truncated-body": _truncated_body,
    "invalid-json": _invalid_json,
    "html": _html,
    "no-choices": _no_choices,
    "quick-drip": _drip,
    "slow-drip": _drip,
}

# Faults of the text: the answer is a completion, and billed. Each gets the request's body and the good text, and gives
# text and finish reason.


def _in_all(body: Mapping[str, Any], good: str, change: Callable[[str], str]) -> str:
    """The good text, with every string of its object changed."""
    if not keys_of(body):
        return change(good)
    values = json.loads(good)
    return json.dumps(
        {key: change(value) if isinstance(value, str) else value for key, value in values.items()}, ensure_ascii=False
    )


def _other_language(body: Mapping[str, Any]) -> str:
    return "我们明天再说吧。" if language_of(body) == "en" else "Let us talk about it tomorrow."


CONTENT_FAULTS: Mapping[str, Callable[[Mapping[str, Any], str], tuple[str | None, str]]] = {
    "null-content": lambda body, good: (None, "stop"),
    "cut-off": lambda body, good: (good[: len(good) * 2 // 3], "length"),
    "broken-json": lambda body, good: ("{" + good.replace('"', "'", 1).replace("}", ",,"), "stop"),
    "prose": lambda body, good: ("I am glad to help, but first I would like to know more.", "stop"),
    "wrong-language": lambda body, good: (_in_all(body, good, lambda _: _other_language(body)), "stop"),
    "unclosed-think": lambda body, good: ("<think>What could they mean? Let me see", "length"),
    "over-long": lambda body, good: (_in_all(body, good, lambda text: (text + " ") * 60), "stop"),
    "unpronounceable": lambda body, good: (_in_all(body, good, lambda text: f"{text} {{∮☃}} a|b"), "stop"),
    "closed-think": lambda body, good: (f"<think>Let me see.</think>\n{good}", "stop"),
}
FAULTS = (*TRANSPORT_FAULTS, *CONTENT_FAULTS)
HARMLESS = frozenset({"quick-drip", "slow-drip", "closed-think"})
"""Faults after which the client holds a good answer, if it is patient."""
