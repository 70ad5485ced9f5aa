"""Where a server is, the key for it, and the check before the first request: is it there, does it let us in?"""

import asyncio
import json
import os
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2
import openai

from manifests.errors import EngineUnavailable
from pipeline.engines.remote.error_kinds import ErrorKind, classify_error
from pipeline.settings import Server

OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY = "EMPTY"
"""Sent to servers that need no key, as in vLLM's own examples: the openai client insists on one."""
_START_PATIENCE_S = 30.0
"""The longest wait for a server that is still loading: most mistakes are a wrong port."""
_CHECK_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 10.0
_NAMES_SHOWN = 5
_PORTS = {"http": 80, "https": 443}
_VERBS = ("/chat/completions", "/completions", "/models", "/responses", "/audio/speech", "/audio/transcriptions")
"""Ends of addresses that people copy from an example of a whole request."""


@dataclass(frozen=True)
class Endpoint:
    """`name` (host and port) may stand in messages; the rest may hold credentials."""

    name: str
    base_url: str
    key: str | None = field(repr=False)
    user_info: tuple[str, str] | None = field(repr=False)

    @property
    def has_version(self) -> bool:
        """Tell whether the address names a version of the API ("/v1", "/api/v3"), as nearly all servers want it."""
        return re.search(r"/v\d+\w*(?:/|$)", urlsplit(self.base_url).path) is not None

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret for secret in (self.key, *(self.user_info or ())) if secret)


def resolve_endpoint(engine: str, serving: Server) -> Endpoint:
    """Find server and key in the settings and the environment. Raises EngineUnavailable if either is invalid."""
    url = serving.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise EngineUnavailable(f"{engine}: base_url must look like http://host:8000/v1, without a query")
    if verb := next((end for end in _VERBS if parts.path.rstrip("/").endswith(end)), None):
        raise EngineUnavailable(f"{engine}: base_url ends in {verb}: leave that off, it is added to every request")
    name = f"[{host}]" if ":" in host else host
    name = f"{name}:{port or (443 if parts.scheme == 'https' else 80)}"
    user_info = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    # Without the user info: libraries log the URLs that they request.
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Endpoint(name, plain, _find_key(engine, serving.api_key_env, host), user_info)


def _find_key(engine: str, variable: str, host: str) -> str | None:
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise EngineUnavailable(f"{engine}: what {variable} holds cannot be a key: it has odd characters")
    if not key and (host == "openai.com" or host.endswith(".openai.com")):
        raise EngineUnavailable(f"{engine}: {host} wants a key in the environment variable {variable}")
    return key or None


def make_openai_client(endpoint: Endpoint, serving: Server) -> openai.AsyncOpenAI:
    """Make a client that sends everything once: `ServerClient` decides about retries and connections."""
    timeout = httpx2.Timeout(serving.timeout_s, connect=min(_CONNECT_TIMEOUT_S, serving.timeout_s), pool=None)
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or _NO_KEY,
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(
            # The limiter holds requests back; the pool never has to.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=serving.concurrency),
            timeout=timeout,
            auth=httpx2.BasicAuth(*endpoint.user_info) if endpoint.user_info else None,
            event_hooks={"response": [_stay_here]},
        ),
    )


class RedirectError(Exception):
    """The server sends requests on to another one. The message names it by host and port."""


async def _stay_here(response: httpx2.Response) -> None:
    """Refuse a redirect to another origin before it is followed: the request's body would go there.

    Raises RedirectError. Redirects to the same scheme, host and port are followed.
    """
    if not response.has_redirect_location:
        return
    url = response.request.url
    try:
        target = url.join(response.headers["location"])
        origins = [(at.scheme, at.host, at.port or _PORTS.get(at.scheme)) for at in (url, target)]
    except (httpx2.InvalidURL, ValueError):
        raise RedirectError("an address that cannot be read") from None
    if origins[0] != origins[1]:
        scheme, host, port = origins[1]
        raise RedirectError(f"{scheme}://{host}:{port}")


def redirect_message(server: str, error: BaseException) -> str | None:
    """Say that a server redirects to another one, if that is the error or its cause; None for other errors."""
    found = error if isinstance(error, RedirectError) else error.__cause__
    if not isinstance(found, RedirectError):
        return None
    return f"{server} redirects to {found}, which is not followed: give that address as base_url if you trust it"


class Preflight:
    """The check of a server when an engine starts: is it there, does it let us in, does it have the model?

    While the server is not ready, it is asked again after `poll_s` seconds or a little less, for `patience_s` at most.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        server: str,
        key_variable: str,
        patience_s: float,
        poll_s: float,
        clock: Callable[[], float] = time.monotonic,
        has_version: bool = True,
    ) -> None:
        self._has_version = has_version
        self._client = client
        self._server = server
        self._key_variable = key_variable
        self._poll_s = poll_s
        self._clock = clock
        self._patience_s = min(patience_s, _START_PATIENCE_S)
        self._timeout_s = min(patience_s, _CHECK_TIMEOUT_S)

    async def check(self, model: str, public_name: str, probe: Callable[[], Awaitable[object]]) -> None:
        """Raise EngineUnavailable, in one sentence, if starting is pointless.

        The list of models alone proves nothing: llama.cpp takes any name, gateways and `transformers serve` have
        models that they do not list, and a key may allow the work but not the list. So where the list speaks against
        the model, `probe` sends a request with the model that costs next to nothing.
        """
        listed = await self._list_models()
        if listed is None or (listed and model not in listed) or not (listed or self._has_version):
            kind = await self._ask(probe)
            if kind is ErrorKind.NO_ACCESS:
                raise EngineUnavailable(no_access_message(self._server, self._key_variable))
            if kind is ErrorKind.NO_MODEL and not listed and not self._has_version:
                raise EngineUnavailable(no_model_message(self._server, public_name, 404, False))
            if kind is ErrorKind.NO_MODEL:
                shown = ", ".join(Path(name).name for name in (listed or ())[:_NAMES_SHOWN])
                raise EngineUnavailable(f"{self._server} has no model {public_name!r}; it lists: {shown or 'none'}")

    async def _list_models(self) -> list[str] | None:
        """Return the names that the server lists: [] if it has no list, None if it does not let us in."""
        until = self._clock() + self._patience_s
        while True:
            trouble = "cannot be reached"
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await self._client.models.with_raw_response.list()
                return _names(answer.content)
            except openai.APIStatusError as error:
                if error.status_code in (401, 403):
                    return None
                if classify_error(error.status_code, error.response.content).kind is not ErrorKind.UNAVAILABLE:
                    return []
                trouble = f"is not ready (HTTP {error.status_code})"
            except TimeoutError:
                trouble = "takes connections but does not answer"
            except (RedirectError, openai.APIConnectionError) as error:
                if told := redirect_message(self._server, error):
                    raise EngineUnavailable(told) from None
                if "certificate" in str(error.__cause__).lower():
                    raise EngineUnavailable(f"{self._server} shows a TLS certificate that is not accepted") from None
                if isinstance(error.__cause__, httpx2.ReadTimeout):
                    trouble = "takes connections but does not answer"
            if self._clock() >= until:
                raise EngineUnavailable(f"{self._server} {trouble}") from None
            await asyncio.sleep(random.uniform(self._poll_s / 2, self._poll_s))

    async def _ask(self, probe: Callable[[], Awaitable[object]]) -> ErrorKind | None:
        """Return the kind of error that the probe met; None if it met none, or none that is certain."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await probe()
        except openai.APIStatusError as error:
            return classify_error(error.status_code, error.response.content).kind
        except (RedirectError, openai.APIConnectionError, TimeoutError) as error:
            if told := redirect_message(self._server, error):
                raise EngineUnavailable(told) from None
            return None  # slow or unstable, but not a refusal
        return None


def no_model_message(server: str, public_name: str, status: int, has_version: bool) -> str:
    """Say that a server has nothing at the address, or no such model there."""
    if status in (404, 405) and not has_version:
        return f"{server} has nothing at that address (HTTP {status}): does base_url lack its /v1, as in http://host:8000/v1?"
    return f"{server} has no model {public_name!r} (HTTP {status})"


def no_access_message(server: str, key_variable: str) -> str:
    """Say that a server does not let us in."""
    has_key = bool(os.environ.get(key_variable, "").strip())
    return f"{server} {'refuses the key' if has_key else 'wants a key'} in the environment variable {key_variable}"


def _names(body: bytes) -> list[str]:
    try:
        entries = json.loads(body)["data"]
        return [entry["id"] for entry in entries if isinstance(entry["id"], str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
