"""The HTTP client for one server of the OpenAI kind: the way of a request there and back, until it has an answer.

The openai library sends each request once. When to send again, how long to wait, how many requests are in flight and
what to do about a refusal is decided here, so that it can be tested and is the same for all servers and all tasks.

An attempt that the server spoiled counts. One that never reached the server does not, as long as no other request
reaches it either: then the server is away, and the patience (seconds) decides how long that may last, not the number
of attempts. Otherwise a restart of the server would fail every row in flight. Nor does a 503 of a server that answers
others count: its queue is full, as sglang-omni's is with 32 requests, and pauses and the limiter see to it. Only a
request that met nothing else for the whole patience has failed.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Failure
from pipeline.engines.remote.endpoint import (
    Preflight,
    RedirectError,
    make_openai_client,
    no_access_message,
    no_model_message,
    redirect_message,
    resolve_endpoint,
)
from pipeline.engines.remote.error_kinds import (
    EmbeddedError,
    ErrorKind,
    ErrorResponse,
    TransientError,
    classify_error,
    retry_after_s,
)
from pipeline.engines.remote.limiter import Limiter, LoadSignal
from pipeline.engines.remote.redact import make_redactor
from pipeline.settings import Checkpoint, Server, public_name

T = TypeVar("T")

ReadBody = Callable[[bytes, Mapping[str, str]], T]
"""Reads the body and the headers of an answer with status 200. Raises TransientError where the body is not what was
asked for, EmbeddedError where it holds an error."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is sent: `fields` as JSON, or as a `form` with a `file` (its name, bytes and media type).

    `optional` names the fields that a server may refuse.
    """

    path: str
    fields: Mapping[str, Any]
    optional: frozenset[str] = frozenset()
    form: bool = False
    file: tuple[str, bytes, str] | None = None


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """The pause between attempts: drawn from 0 to min(cap_s, base_s * 2 ** attempts), "full jitter" (Brooker, AWS
    Architecture Blog, 2015), or what the server asks for, up to `retry_after_cap_s` (OpenAI's limits are per minute).
    """

    base_s: float = 0.5
    cap_s: float = 20.0
    retry_after_cap_s: float = 60.0


class Liveness:
    """When the server last answered any request."""

    def __init__(self, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience_s = patience_s
        self.clock = clock
        self.last_answer = -math.inf

    def answered(self) -> None:
        self.last_answer = self.clock()


class Attempts:
    """The attempts at one request; `counted` are those that count against the limit."""

    def __init__(self, limit: int, backoff: BackoffPolicy, liveness: Liveness) -> None:
        self.counted = 0
        self._limit = limit
        self._backoff = backoff
        self._liveness = liveness
        self._begun = 0
        self._first_sent = math.nan
        self._last_failed = math.nan

    def begin(self) -> None:
        self._begun += 1
        if self._begun == 1:
            self._first_sent = self._last_failed = self._liveness.clock()

    def failed(self, error: TransientError, server: str) -> None:
        """Count the attempt. Raises EngineDied if the server has answered no request for the whole patience."""
        now = self._liveness.clock()
        others_reach_it = self._liveness.last_answer > self._last_failed
        self._last_failed = now
        queue_is_full = error.unreachable and error.slow_down and now - self._first_sent < self._liveness.patience_s
        if not queue_is_full and (not error.unreachable or others_reach_it):
            self.counted += 1
        silent_s = now - max(self._liveness.last_answer, self._first_sent)
        if (error.unreachable or not error.answered) and silent_s >= self._liveness.patience_s:
            raise EngineDied(f"{server} has not answered for {silent_s:.0f} s: {error}")

    def is_over(self, state: RetryCallState) -> bool:
        return self.counted >= self._limit

    def pause_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            # Spread, or all requests that were told the same time would come back at the same moment.
            return min(error.retry_after_s, self._backoff.retry_after_cap_s) + random.uniform(0, self._backoff.base_s)
        doubled = self._backoff.base_s * 2.0 ** min(self._begun - 1, 30)
        return random.uniform(0, min(self._backoff.cap_s, doubled))


class ServerClient:
    """One server, and how this process treats it.

    The constructor raises EngineUnavailable if the address or the key cannot be right; `start` raises it if the server
    cannot be used. `engine` is the name at the head of messages, `failed` the reason of a request that came to
    nothing. `probe` is a request that costs next to nothing; `start` sends it where the server's list of models speaks
    against the model. `server` names the server in messages; `served` is whether it has ever done what was asked.
    """

    def __init__(
        self,
        engine: str,
        settings: Checkpoint,
        serving: Server,
        failed: Reason,
        probe: HttpRequest,
        backoff: BackoffPolicy | None = None,
    ) -> None:
        endpoint = resolve_endpoint(engine, serving)
        self.limiter = Limiter(serving.concurrency)
        self.server = f"{engine}: the server at {endpoint.name}"
        self.served = False
        self._has_version = endpoint.has_version
        self._model = settings.model
        self._public_name = public_name(settings.model)
        self._serving = serving
        self._failed = failed
        self._probe = probe
        self._backoff = backoff or BackoffPolicy()
        self._redact = make_redactor(endpoint.secrets, {settings.model: self._public_name})
        self._liveness = Liveness(serving.patience_s)
        self._client = make_openai_client(endpoint, serving)
        self._warned = False

    async def start(self) -> None:
        """Check that the server is there, lets us in and has the model."""
        serving = self._serving
        preflight = Preflight(
            self._client,
            self.server,
            serving.api_key_env,
            serving.patience_s,
            self._backoff.base_s,
            has_version=self._has_version,
        )
        await preflight.check(self._model, self._public_name, lambda: self._post(self._probe))
        self._liveness.answered()

    async def close(self) -> None:
        await self._client.close()

    async def ask(
        self,
        compose: Callable[[], HttpRequest],
        read: ReadBody[T],
        give_up: Callable[[ErrorResponse], Failure] | None = None,
    ) -> T | Failure:
        """Return the answer to a request that stays the same, whatever the server says to it. The first Failure is
        logged: otherwise only the corpus would show that a server refuses everything."""

        async def attempt(attempts: Attempts) -> T | Failure:
            answer = await self.send(attempts, compose, read)
            return (give_up or self.give_up)(answer) if isinstance(answer, ErrorResponse) else answer

        result = await self.retry(attempt)
        if isinstance(result, Failure) and not self._warned:
            self._warned = True
            _log.warning("%s failed a request: %s (further failures are not logged)", self.server, result.detail)
        return result

    async def retry(self, attempt: Callable[[Attempts], Awaitable[T | Failure]]) -> T | Failure:
        """Return the result of the first attempt that ends without a TransientError; a Failure where none does.

        `attempt` must be a coroutine function: tenacity would not await what a lambda returns.
        """
        attempts = Attempts(self._serving.attempts, self._backoff, self._liveness)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=attempts.is_over,
            wait=attempts.pause_s,
            reraise=True,
        )
        try:
            return await retrying(attempt, attempts)
        except TransientError as error:
            return Failure(self._failed, f"{error}, {attempts.counted} attempts")
        except UnicodeEncodeError:
            return Failure(self._failed, "the text is not valid Unicode")

    async def send(
        self, attempts: Attempts, compose: Callable[[], HttpRequest], read: ReadBody[T]
    ) -> T | ErrorResponse:
        """Send one request when the limiter lets it through, and return what the server says to it.

        `compose` makes the request only then. Raises TransientError if the server may say something else next time,
        EngineDied if it has been silent for the whole patience.
        """
        await self.limiter.acquire()
        signal, latency_s = LoadSignal.NONE, 0.0
        try:
            attempts.begin()
            sent = time.monotonic()
            answer = await self._exchange(compose(), read)
            signal, latency_s = LoadSignal.ANSWERED, time.monotonic() - sent
        except TransientError as error:
            signal = LoadSignal.OVERLOADED if error.slow_down else LoadSignal.NONE
            attempts.failed(error, self.server)
            raise
        finally:
            self.limiter.release(signal, latency_s)
        self.served = self.served or not isinstance(answer, ErrorResponse)
        return answer

    def give_up(self, error: ErrorResponse) -> Failure:
        """Make the Failure of a request that no retry helps. Raises EngineUnavailable if none would fare better."""
        match error.kind:
            case ErrorKind.NO_ACCESS:
                raise EngineUnavailable(no_access_message(self.server, self._serving.api_key_env))
            case ErrorKind.NO_CREDIT:
                raise EngineUnavailable(f"{self.server}: the account has no credit (HTTP {error.status})")
            case ErrorKind.NO_MODEL if error.status in (404, 405) or not self.served:
                raise EngineUnavailable(
                    no_model_message(self.server, self._public_name, error.status, self._has_version)
                )
            case ErrorKind.PARAMETER if not self.served:
                raise EngineUnavailable(f"{self.server} does not take the model's setting {error.parameter}")
            case _:
                return Failure(self._failed, self.quote(error))

    def quote(self, error: ErrorResponse) -> str:
        """Return the server's own words in one line, without secrets."""
        message = self._redact(error.message)
        return f"HTTP {error.status}: {message}" if message else f"HTTP {error.status}"

    async def _exchange(self, request: HttpRequest, read: ReadBody[T]) -> T | ErrorResponse:
        try:
            # The library's own time-out is for each read: a server that drips would never meet it.
            async with asyncio.timeout(self._serving.timeout_s):
                response = await self._post(request)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise _time_out(error) from None
        except openai.APIStatusError as error:
            return self._classify(error.status_code, error.response.content, error.response.headers, request)
        except (RedirectError, openai.APIConnectionError) as error:
            if told := redirect_message(self.server, error):
                raise EngineUnavailable(told) from None
            raise _connection_error(error) from None
        self._liveness.answered()
        try:
            return read(response.content, response.headers)
        except EmbeddedError as error:
            return self._classify(error.status, error.payload, response.headers, request)

    async def _post(self, request: HttpRequest) -> httpx2.Response:
        # `post` is what the library's verbs do, without their walk through the types of all arguments (a quarter of
        # the time of a chat request).
        if not request.form:
            return await self._client.post(request.path, cast_to=httpx2.Response, body=request.fields)
        return await self._client.post(
            request.path,
            cast_to=httpx2.Response,
            body=request.fields,
            files=[("file", request.file)] if request.file else None,
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )

    def _classify(self, status: int, body: object, headers: Mapping[str, str], request: HttpRequest) -> ErrorResponse:
        # Where the format is not an optional field, as in a chat, there are other formats to try.
        formatted = "response_format" in request.fields and "response_format" not in request.optional
        error = classify_error(status, body, request.optional, formatted)
        unreachable = error.kind is ErrorKind.UNAVAILABLE
        if not unreachable:
            self._liveness.answered()
        if unreachable or error.kind is ErrorKind.TRANSIENT:
            raise TransientError(
                f"HTTP {status}",
                unreachable=unreachable,
                slow_down=error.slow_down,
                retry_after_s=retry_after_s(headers),
            ) from None
        return error


def _time_out(error: Exception) -> TransientError:
    if isinstance(error.__cause__, httpx2.ConnectTimeout):
        return TransientError("no connection", unreachable=True, answered=False)
    return TransientError("no answer in time", answered=False, slow_down=True)


def _connection_error(error: Exception) -> TransientError:
    if isinstance(error.__cause__, httpx2.ConnectError):
        return TransientError("no connection", unreachable=True, answered=False)
    return TransientError("the connection broke", answered=False)
