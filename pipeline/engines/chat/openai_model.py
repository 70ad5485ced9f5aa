"""Any server of the OpenAI chat kind: OpenAI's own, vLLM, llama.cpp, SGLang, gateways.

The library sends each request once. Repeating, waiting, the number in flight and what to do about a server's refusals
are decided here, so that they can be tested and are the same for all servers.
"""

import asyncio
import importlib.metadata
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import openai
from tenacity import AsyncRetrying, retry_if_exception_type

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from manifests.storage import Place
from pipeline.engines.chat.answers import Remembering
from pipeline.engines.chat.completion import NotACompletion, read_completion
from pipeline.engines.chat.diagnosis import Meaning, Problem, diagnose
from pipeline.engines.chat.dialect import CHANGES, Dialect, optional_fields
from pipeline.engines.chat.limiter import Limiter, Outcome
from pipeline.engines.chat.reach import Look, find_endpoint, make_client, no_access
from pipeline.engines.chat.retry import Course, Fault, Life, Pace, asked_wait_s
from pipeline.engines.chat.scrub import make_scrub
from pipeline.engines.protocols import ChatModel, ChatReply, ChatRequest, Failure, TextGenerator
from pipeline.models import OpenAIModel

_log = logging.getLogger(__name__)


class OpenAIChat:
    """A ChatModel. The constructor raises EngineUnavailable where address or key cannot be right."""

    name = "openai"

    def __init__(self, settings: OpenAIModel, pace: Pace | None = None) -> None:
        serving = settings.serving
        endpoint = find_endpoint(serving)
        self.version = version(settings)
        self.limiter = Limiter(serving.concurrency)
        self.dialect = Dialect()
        self._settings = settings
        self._pace = pace or Pace()
        self._server = f"openai: the server at {endpoint.name}"
        self._scrub = make_scrub(endpoint.secrets, {settings.model: _public_name(settings)})
        self._life = Life(serving.patience_s)
        self._client = make_client(endpoint, serving)
        self._served = False

    async def start(self) -> None:
        serving = self._settings.serving
        look = Look(self._client, self._server, serving.api_key_env, serving.patience_s, self._pace)
        await look.find(self._settings.model, _public_name(self._settings))
        self._life.answered()

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        course = Course(self._settings.serving.attempts, self._pace, self._life)
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Fault), stop=course.is_over, wait=course.pause_s, reraise=True
        )
        try:
            return await tries(self._try, request, course)
        except Fault as fault:
            return Failure(Reason.TEXT_ENGINE_FAILED, f"{fault}, {course.counted} attempts")
        except UnicodeEncodeError:
            return Failure(Reason.TEXT_ENGINE_FAILED, "the text is not valid Unicode")

    async def close(self) -> None:
        await self._client.close()

    async def _try(self, request: ChatRequest, course: Course) -> ChatReply | Failure:
        """One try. A refused field is left out at once: that is no fault of the request and costs no attempt."""
        changes = 0
        while True:
            try:
                dialect, answer = await self._send(request, course)
            except Fault as fault:
                course.failed(fault, self._server)
                raise
            if not isinstance(answer, Problem):
                self._served = True
                return answer
            changed = dialect.without(answer)
            if changed is None or changes == CHANGES:
                return self._give_up(answer)
            if self.dialect == dialect:  # else another request has just found it out
                self._change(changed, answer)
            changes += 1

    async def _send(self, request: ChatRequest, course: Course) -> tuple[Dialect, ChatReply | Failure | Problem]:
        """What the server says to one sending, and to what. Fault where it may say something else next time."""
        await self.limiter.acquire()
        outcome, latency_s = Outcome.NEITHER, 0.0
        try:
            dialect = self.dialect  # what others have found out while this one waited is in it
            course.sending()
            sent = time.monotonic()
            answer = await self._exchange(dialect.fields(self._settings, request))
            outcome, latency_s = Outcome.ANSWERED, time.monotonic() - sent
        except Fault as fault:
            outcome = Outcome.SLOW_DOWN if fault.slow_down else Outcome.NEITHER
            raise
        finally:
            self.limiter.release(outcome, latency_s)
        return dialect, answer

    async def _exchange(self, fields: Mapping[str, Any]) -> ChatReply | Failure | Problem:
        try:
            # The library's own time-out is for each read: a server that drips would never meet it. `post` is what
            # `chat.completions.create` does, less a walk through the types of all arguments (a quarter of the time).
            async with asyncio.timeout(self._settings.serving.timeout_s):
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=fields)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise _time_out(error) from None
        except openai.APIStatusError as error:
            return self._judge(error.status_code, error.response.content, error.response.headers, fields)
        except openai.APIConnectionError as error:
            raise _broken_line(error) from None
        self._life.answered()
        return self._read(response.content, response.headers, fields)

    def _read(
        self, body: bytes, headers: Mapping[str, str], fields: Mapping[str, Any]
    ) -> ChatReply | Failure | Problem:
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            raise Fault("the answer is not JSON") from None
        if (status := _status_within(payload)) is not None:
            return self._judge(status, payload, headers, fields)
        try:
            return read_completion(payload)
        except NotACompletion as error:
            raise Fault(str(error)) from None

    def _judge(self, status: int, body: object, headers: Mapping[str, str], fields: Mapping[str, Any]) -> Problem:
        problem = diagnose(status, body, optional_fields(fields), "response_format" in fields)
        away = problem.meaning is Meaning.AWAY
        if not away:
            self._life.answered()
        if away or problem.meaning is Meaning.TRY_AGAIN:
            asked_s = asked_wait_s(headers)
            raise Fault(f"HTTP {status}", away=away, slow_down=problem.slow_down, asked_s=asked_s) from None
        return problem

    def _change(self, dialect: Dialect, problem: Problem) -> None:
        if problem.meaning is Meaning.FORMAT:
            _log.info("%s: answers are held to their schema as: %s", self._server, dialect.guidance)
        else:
            _log.warning("%s does not take %s: it is left out or renamed", self._server, problem.parameter)
        self.dialect = dialect

    def _give_up(self, problem: Problem) -> Failure:
        """The Failure of a request that no repetition helps; EngineUnavailable where none would fare better."""
        match problem.meaning:
            case Meaning.NO_ACCESS:
                raise EngineUnavailable(no_access(self._server, self._settings.serving.api_key_env))
            case Meaning.NO_CREDIT:
                raise EngineUnavailable(f"{self._server}: the account has no credit (HTTP {problem.status})")
            case Meaning.NO_MODEL if problem.status in (404, 405) or not self._served:
                model = _public_name(self._settings)
                raise EngineUnavailable(f"{self._server} has no model {model!r} (HTTP {problem.status})")
            case Meaning.PARAMETER if not self._served:
                raise EngineUnavailable(f"{self._server} does not take the model's setting {problem.parameter}")
            case Meaning.TOO_LONG:
                return Failure(Reason.TOO_LONG, "longer than the model's context")
            case Meaning.REFUSED:
                return Failure(Reason.REFUSED, self._said(problem))
            case _:
                return Failure(Reason.TEXT_ENGINE_FAILED, self._said(problem))

    def _said(self, problem: Problem) -> str:
        message = self._scrub(problem.message)
        return f"HTTP {problem.status}: {message}" if message else f"HTTP {problem.status}"


def _time_out(error: Exception) -> Fault:
    if isinstance(error.__cause__, httpx2.ConnectTimeout):
        return Fault("no connection", away=True, answered=False)
    return Fault("no answer in time", answered=False, slow_down=True)


def _broken_line(error: Exception) -> Fault:
    if isinstance(error.__cause__, httpx2.ConnectError):
        return Fault("no connection", away=True, answered=False)
    return Fault("the connection broke", answered=False)


def _status_within(payload: object) -> int | None:
    """The status of an error that a gateway wraps into an answer with status 200."""
    if not isinstance(payload, dict) or payload.get("choices") or not isinstance(payload.get("error"), dict):
        return None
    code = payload["error"].get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _public_name(settings: OpenAIModel) -> str:
    return str(settings.model_dump(include={"model"})["model"])


def version(model: OpenAIModel | None = None) -> str:
    """The client library's version, or "<model>@<revision>"."""
    if model is None:
        return importlib.metadata.version("openai")
    return f"{_public_name(model)}@{model.revision or 'unpinned'}"


def identity(model: OpenAIModel) -> dict[str, Any]:
    """What the model's answers depend on besides the request; not where it runs.

    With the whole path of a local checkpoint: two of one name are two models. Only a hash of this is ever written.
    """
    return model.model_dump(mode="json", exclude={"serving", "guided"}) | {"model": model.model}


def open_generator(model: OpenAIModel, answers: Place | None) -> TextGenerator:
    """The engine of the table. EngineUnavailable where the server cannot be had."""
    from pipeline.engines.chat.generator import PromptedGenerator  # it knows templates, which this module does not

    chat: ChatModel = OpenAIChat(model)
    if answers is not None:
        chat = Remembering(chat, answers, identity(model))
    return PromptedGenerator(chat, model.guided)
