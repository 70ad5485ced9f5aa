"""The line to one server of the OpenAI kind: the way of a request there and back, until it has an answer.

The library sends each request once. Repeating, waiting, the number in flight and what to do about a server's refusals
are decided here, so that they can be tested and are the same for all servers and all kinds of work.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import openai
from tenacity import AsyncRetrying, retry_if_exception_type

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Failure
from pipeline.engines.remote.endpoint import Look, find_endpoint, make_client, no_access
from pipeline.engines.remote.error_kinds import Meaning, Problem, diagnose
from pipeline.engines.remote.limiter import Limiter, Outcome
from pipeline.engines.remote.redact import make_scrub
from pipeline.engines.remote.retry import Course, Fault, Life, Pace, asked_wait_s
from pipeline.settings import Checkpoint, Server, public_name

T = TypeVar("T")

Read = Callable[[bytes, Mapping[str, str]], T]
"""Reads the body and the headers of an answer with status 200. Raises Fault where it is not what was asked for, and
ErrorWithin where it holds an error."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `fields` as JSON, or as a `form` with a `file` (its name, bytes and media type).

    `optional` are the names of fields that a server may refuse.
    """

    path: str
    fields: Mapping[str, Any]
    optional: frozenset[str] = frozenset()
    form: bool = False
    file: tuple[str, bytes, str] | None = None


class ErrorWithin(Exception):
    """An error that a gateway wraps into an answer with status 200."""

    def __init__(self, status: int, payload: object) -> None:
        super().__init__(f"HTTP {status} within an answer")
        self.status = status
        self.payload = payload


class Line:
    """One server, and how this process treats it. The constructor raises EngineUnavailable where address or key cannot
    be right; `start`, where the server cannot be had.

    `engine` is the name that stands before messages, `failed` the reason of a request that came to nothing. `probe`
    costs next to nothing; it is sent at the start where the server's list of models speaks against the model.
    `server` names the server in sentences; `served` is whether it has ever done what was asked.
    """

    def __init__(
        self,
        engine: str,
        settings: Checkpoint,
        serving: Server,
        failed: Reason,
        probe: Message,
        pace: Pace | None = None,
    ) -> None:
        endpoint = find_endpoint(engine, serving)
        self.limiter = Limiter(serving.concurrency)
        self.server = f"{engine}: the server at {endpoint.name}"
        self.served = False
        self._model = settings.model
        self._public_name = public_name(settings.model)
        self._serving = serving
        self._failed = failed
        self._probe = probe
        self._pace = pace or Pace()
        self._scrub = make_scrub(endpoint.secrets, {settings.model: self._public_name})
        self._life = Life(serving.patience_s)
        self._client = make_client(endpoint, serving)
        self._complained = False

    async def start(self) -> None:
        """Look whether the server is there and lets us in."""
        look = Look(self._client, self.server, self._serving.api_key_env, self._serving.patience_s, self._pace)
        await look.find(self._model, self._public_name, lambda: self._post(self._probe))
        self._life.answered()

    async def close(self) -> None:
        await self._client.close()

    async def ask(
        self,
        message: Callable[[], Message],
        read: Read[T],
        give_up: Callable[[Problem], Failure] | None = None,
    ) -> T | Failure:
        """The answer to a message that is not reworded, whatever the server says to it. The first Failure is logged:
        a server that refuses everything would otherwise only be seen in the corpus."""

        async def attempt(course: Course) -> T | Failure:
            answer = await self.send(course, message, read)
            return (give_up or self.give_up)(answer) if isinstance(answer, Problem) else answer

        result = await self.repeat(attempt)
        if isinstance(result, Failure) and not self._complained:
            self._complained = True
            _log.warning("%s failed a request: %s (told once)", self.server, result.detail)
        return result

    async def repeat(self, attempt: Callable[[Course], Awaitable[T | Failure]]) -> T | Failure:
        """The result of the first attempt that ends without a Fault; a Failure where none does."""
        course = Course(self._serving.attempts, self._pace, self._life)
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Fault), stop=course.is_over, wait=course.pause_s, reraise=True
        )

        async def one() -> T | Failure:  # the library would not await what a lambda returns
            return await attempt(course)

        try:
            return await tries(one)
        except Fault as fault:
            return Failure(self._failed, f"{fault}, {course.counted} attempts")
        except UnicodeEncodeError:
            return Failure(self._failed, "the text is not valid Unicode")

    async def send(self, course: Course, message: Callable[[], Message], read: Read[T]) -> T | Problem:
        """What the server says to one sending. `message` is called when its turn has come.

        Raises Fault where the server may say something else next time, EngineDied where it has been silent for the
        whole patience.
        """
        try:
            answer = await self._send(course, message, read)
        except Fault as fault:
            course.failed(fault, self.server)
            raise
        self.served = self.served or not isinstance(answer, Problem)
        return answer

    def give_up(self, problem: Problem) -> Failure:
        """The Failure of a request that no repetition helps; EngineUnavailable where none would fare better."""
        match problem.meaning:
            case Meaning.NO_ACCESS:
                raise EngineUnavailable(no_access(self.server, self._serving.api_key_env))
            case Meaning.NO_CREDIT:
                raise EngineUnavailable(f"{self.server}: the account has no credit (HTTP {problem.status})")
            case Meaning.NO_MODEL if problem.status in (404, 405) or not self.served:
                raise EngineUnavailable(f"{self.server} has no model {self._public_name!r} (HTTP {problem.status})")
            case Meaning.PARAMETER if not self.served:
                raise EngineUnavailable(f"{self.server} does not take the model's setting {problem.parameter}")
            case _:
                return Failure(self._failed, self.said(problem))

    def said(self, problem: Problem) -> str:
        """The server's own words, without secrets, in one line."""
        message = self._scrub(problem.message)
        return f"HTTP {problem.status}: {message}" if message else f"HTTP {problem.status}"

    async def _send(self, course: Course, message: Callable[[], Message], read: Read[T]) -> T | Problem:
        await self.limiter.acquire()
        outcome, latency_s = Outcome.NEITHER, 0.0
        try:
            course.sending()
            sent = time.monotonic()
            answer = await self._exchange(message(), read)
            outcome, latency_s = Outcome.ANSWERED, time.monotonic() - sent
        except Fault as fault:
            outcome = Outcome.SLOW_DOWN if fault.slow_down else Outcome.NEITHER
            raise
        finally:
            self.limiter.release(outcome, latency_s)
        return answer

    async def _exchange(self, message: Message, read: Read[T]) -> T | Problem:
        try:
            # The library's own time-out is for each read: a server that drips would never meet it.
            async with asyncio.timeout(self._serving.timeout_s):
                response = await self._post(message)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise _time_out(error) from None
        except openai.APIStatusError as error:
            return self._judge(error.status_code, error.response.content, error.response.headers, message)
        except openai.APIConnectionError as error:
            raise _broken_line(error) from None
        self._life.answered()
        try:
            return read(response.content, response.headers)
        except ErrorWithin as error:
            return self._judge(error.status, error.payload, response.headers, message)

    async def _post(self, message: Message) -> httpx2.Response:
        # `post` is what the library's verbs do, less a walk through the types of all arguments (of a chat, a quarter
        # of the time).
        if not message.form:
            return await self._client.post(message.path, cast_to=httpx2.Response, body=message.fields)
        return await self._client.post(
            message.path,
            cast_to=httpx2.Response,
            body=message.fields,
            files=[("file", message.file)] if message.file else None,
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )

    def _judge(self, status: int, body: object, headers: Mapping[str, str], message: Message) -> Problem:
        # Where the format is no optional field, as in a chat, there is a choice of formats: its refusal is no end.
        formatted = "response_format" in message.fields and "response_format" not in message.optional
        problem = diagnose(status, body, message.optional, formatted)
        away = problem.meaning is Meaning.AWAY
        if not away:
            self._life.answered()
        if away or problem.meaning is Meaning.TRY_AGAIN:
            asked_s = asked_wait_s(headers)
            raise Fault(f"HTTP {status}", away=away, slow_down=problem.slow_down, asked_s=asked_s) from None
        return problem


def status_within(payload: object) -> int | None:
    """The status of an error that a gateway wraps into an answer with status 200."""
    if not isinstance(payload, dict) or not isinstance(payload.get("error"), dict):
        return None
    code = payload["error"].get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _time_out(error: Exception) -> Fault:
    if isinstance(error.__cause__, httpx2.ConnectTimeout):
        return Fault("no connection", away=True, answered=False)
    return Fault("no answer in time", answered=False, slow_down=True)


def _broken_line(error: Exception) -> Fault:
    if isinstance(error.__cause__, httpx2.ConnectError):
        return Fault("no connection", away=True, answered=False)
    return Fault("the connection broke", answered=False)
