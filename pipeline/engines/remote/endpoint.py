"""Where a server is, the key for it, and the first look whether it is there."""

import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2
import openai

from manifests.errors import EngineUnavailable
from pipeline.engines.remote.error_kinds import Meaning, diagnose
from pipeline.engines.remote.retry import Pace
from pipeline.settings import Server

OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY = "EMPTY"
"""What servers that want no key are sent, as vLLM's own examples do: the client insists on something."""
_START_PATIENCE_S = 30.0
"""A server that is still loading is waited for this long, no longer: most mistakes are a wrong port."""
_LOOK_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 10.0
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Endpoint:
    """`name` (host and port) is what may be said of it; the rest may hold credentials."""

    name: str
    base_url: str
    key: str | None = field(repr=False)
    user_info: tuple[str, str] | None = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret for secret in (self.key, *(self.user_info or ())) if secret)


def find_endpoint(engine: str, serving: Server) -> Endpoint:
    """The server and key of the settings and the environment. EngineUnavailable where either makes no sense."""
    url = serving.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise EngineUnavailable(f"{engine}: base_url must look like http://host:8000/v1, without a query")
    name = f"[{host}]" if ":" in host else host
    name = f"{name}:{port or (443 if parts.scheme == 'https' else 80)}"
    user_info = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    # Without the user info: libraries log the URLs that they ask.
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Endpoint(name, plain, _find_key(engine, serving.api_key_env, host), user_info)


def _find_key(engine: str, variable: str, host: str) -> str | None:
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise EngineUnavailable(f"{engine}: what {variable} holds cannot be a key: it has odd characters")
    if not key and (host == "openai.com" or host.endswith(".openai.com")):
        raise EngineUnavailable(f"{engine}: {host} wants a key in the environment variable {variable}")
    return key or None


def make_client(endpoint: Endpoint, serving: Server) -> openai.AsyncOpenAI:
    """A client that sends everything once: repeating is ours, and so is the size of its pool."""
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
        ),
    )


class Look:
    """The look at a server when the engine starts: is it there, does it let us in, does it have the model?"""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        server: str,
        key_variable: str,
        patience_s: float,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._server = server
        self._key_variable = key_variable
        self._pace = pace
        self._clock = clock
        self._patience_s = min(patience_s, _START_PATIENCE_S)
        self._timeout_s = min(patience_s, _LOOK_TIMEOUT_S)

    async def find(self, model: str, public_name: str, probe: Callable[[], Awaitable[object]]) -> None:
        """EngineUnavailable, in one sentence, where there is no point in starting.

        The list of models alone proves nothing: llama.cpp takes any name, gateways and transformers serve have models
        that they do not list, and a key may be good for the work but not for lists. So where the list speaks against
        it, the server is asked for next to nothing with the model: `probe` sends that request.
        """
        listed = await self._list_models()
        if listed is None or (listed and model not in listed):
            meaning = await self._ask(probe)
            if meaning is Meaning.NO_ACCESS:
                raise EngineUnavailable(no_access(self._server, self._key_variable))
            if meaning is Meaning.NO_MODEL:
                shown = ", ".join(Path(name).name for name in (listed or ())[:_NAMES_SHOWN])
                raise EngineUnavailable(f"{self._server} has no model {public_name!r}; it lists: {shown or 'none'}")

    async def _list_models(self) -> list[str] | None:
        """Names that the server lists: none where it has no such list, None where it keeps us out."""
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
                if diagnose(error.status_code, error.response.content).meaning is not Meaning.AWAY:
                    return []
                trouble = f"is not ready (HTTP {error.status_code})"
            except TimeoutError:
                trouble = "takes connections but does not answer"
            except openai.APIConnectionError as error:
                if "certificate" in str(error.__cause__).lower():
                    raise EngineUnavailable(f"{self._server} shows a TLS certificate that is not accepted") from None
                if isinstance(error.__cause__, httpx2.ReadTimeout):
                    trouble = "takes connections but does not answer"
            if self._clock() >= until:
                raise EngineUnavailable(f"{self._server} {trouble}") from None
            await asyncio.sleep(random.uniform(self._pace.base_s / 2, self._pace.base_s))

    async def _ask(self, probe: Callable[[], Awaitable[object]]) -> Meaning | None:
        """What speaks against working with the model; None: nothing, or nothing that is certain."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await probe()
        except openai.APIStatusError as error:
            return diagnose(error.status_code, error.response.content).meaning
        except (openai.APIConnectionError, TimeoutError):
            return None  # slow or shaky, but not a refusal
        return None


def no_access(server: str, key_variable: str) -> str:
    """The sentence for a server that does not let us in."""
    has_key = bool(os.environ.get(key_variable, "").strip())
    return f"{server} {'refuses the key' if has_key else 'wants a key'} in the environment variable {key_variable}"


def _names(body: bytes) -> list[str]:
    try:
        entries = json.loads(body)["data"]
        return [entry["id"] for entry in entries if isinstance(entry["id"], str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
