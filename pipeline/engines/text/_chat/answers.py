"""The store of answers: a question that a language model has answered is not asked, and not paid for, again.

An answer is small JSON, without the prompt, under a key: the SHA-256 of everything that the answer depends on. On a
file system each worker appends its answers to a file of its own (`answer_segments.py`). An object store cannot append:
there each answer is an object, `<first two digits>/<key>.json`; so it was on file systems before, and such a store is
still read. There is no lock: any number of workers may share a store, and if an answer is broken or missing, the
question is asked again.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from manifests.storage import Place
from pipeline.engines.contract import NO_TOKENS, ChatModel, ChatReply, ChatRequest, Failure, Tokens
from pipeline.engines.text._chat.answer_segments import AnswerSegments

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

_THREADS = 16
"""An object store takes tens of milliseconds for a file: this many threads keep up with some hundreds of answers a
second."""
_REUSED = Tokens(reused=1)


class CachedChatModel:
    """A ChatModel that caches the answers of another. `identity` is what they depend on: name, revision, sampling."""

    def __init__(self, model: ChatModel, answers: Place, identity: Mapping[str, Any]) -> None:
        self.name = model.name
        self.version = model.version
        self._model = model
        self._files = AnswerFiles(answers)
        self._identity = _canonical(identity)
        self._asking: dict[str, asyncio.Future[ChatReply | Failure | None]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")
        self._warned = False

    async def start(self) -> None:
        await self._model.start()

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        key = answer_key(self._identity, request)
        while (asked := self._asking.get(key)) is not None:
            # The same question is in flight: wait for its answer, and ask it here only if that request was canceled.
            if (shared := await asyncio.shield(asked)) is not None:
                return replace(shared, spent=_REUSED if isinstance(shared, ChatReply) else NO_TOKENS)
        self._asking[key] = asyncio.get_running_loop().create_future()
        result = None
        try:
            result = await self._stored(key) or await self._ask(key, request)
            return result
        finally:
            self._asking.pop(key).set_result(result)

    async def close(self) -> None:
        try:
            await self._model.close()
        finally:
            self._threads.shutdown(wait=False)
            self._files.close()

    async def _stored(self, key: str) -> ChatReply | None:
        try:
            return await self._in_thread(self._files.read, key)
        except OSError as error:
            self._warn(error)
            return None

    async def _ask(self, key: str, request: ChatRequest) -> ChatReply | Failure:
        result = await self._model.complete(request)
        if isinstance(result, ChatReply):
            try:
                await self._in_thread(self._files.write, key, result)
            except OSError as error:  # the answer is good; without the store, a later run only pays for it again
                self._warn(error)
        return result

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do file work outside the event loop's thread: a network file system may be slow."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            _log.warning(
                "the store of answers does not work fully, so a later run may ask again: %s",
                error.strerror or type(error).__name__,
            )
            self._warned = True


class AnswerFiles:
    """The files of a store. `read` and `write` raise OSError if the storage fails, and nothing else."""

    def __init__(self, answers: Place) -> None:
        self._answers = answers
        self._segments = AnswerSegments(Path(answers.path)) if answers.is_local else None

    def read(self, key: str) -> ChatReply | None:
        """Return the answer; None if there is none or it is broken."""
        if self._segments and (data := self._segments.read(key)):
            return _parse(data)
        place = self._place(key)
        try:
            return _parse(Path(place.path).read_bytes() if place.is_local else place.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, key: str, reply: ChatReply) -> None:
        stored = {"text": reply.text, "finish": reply.finish} | ({"note": reply.note} if reply.note else {})
        data = json.dumps(stored).encode()  # ASCII, so on one line
        if self._segments:
            self._segments.write(key, data)
        else:
            self._place(key).write_bytes(data)

    def close(self) -> None:
        if self._segments:
            self._segments.close()

    def _place(self, key: str) -> Place:
        return self._answers / key[:2] / f"{key}.json"


def answer_key(identity: str, request: ChatRequest) -> str:
    """Return the SHA-256 of the canonical JSON of identity and request, 64 hex digits."""
    messages = [[message.role, message.content] for message in request.messages]
    asked = {"messages": messages, "seed": request.seed, "schema": request.schema}
    if request.temperature is not None:
        asked["temperature"] = request.temperature
    question = _canonical(asked)
    return hashlib.sha256(f"[{identity},{question}]".encode()).hexdigest()


def _canonical(value: Any) -> str:
    # ASCII, since a lone surrogate in a data set's text has no UTF-8 form.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)


def _parse(data: bytes) -> ChatReply | None:
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict) or not isinstance(stored.get("text"), str):
        return None
    finish, note = stored.get("finish"), stored.get("note")
    if finish not in ("stop", "length"):
        return None
    return ChatReply(stored["text"], finish, _REUSED, note if isinstance(note, str) else "")
