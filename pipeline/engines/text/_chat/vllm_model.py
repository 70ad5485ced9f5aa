"""vLLM in the worker's own process: a `ChatModel` without a server.

vLLM's front end runs in our event loop, the model in a process of vLLM's own, the engine core. vLLM is imported when a
model starts, never before: no other recipe pays for it.
"""

import importlib.metadata
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from manifests.storage import Place
from pipeline.engines.contract import ChatMessage, ChatReply, ChatRequest, Failure, TextGenerator, Tokens
from pipeline.engines.text._chat.answers import CachedChatModel
from pipeline.engines.text._chat.generator import Asked, PromptedGenerator
from pipeline.engines.text._chat.vllm_settings import (
    checkpoint,
    engine_arguments,
    public_name,
    public_text,
    sampling_arguments,
    set_environment,
)
from pipeline.engines.text._settings import HOW_TO_ASK
from pipeline.engines.text.vllm import VllmModel

NAME = "vllm"

_SHUTDOWN_S = 30.0
"""How long vLLM's processes may take to end by themselves; if killed, they leave shared memory behind. On two busy
cores they took 5.3 s; vLLM's own limit is 5 s."""
_INSTALL = "pip install 'parley[gpu]'"
_PROBE = (
    ChatMessage("system", "a"),
    ChatMessage("user", "b"),
    ChatMessage("assistant", "c"),
    ChatMessage("user", "d"),
)


def version(model: VllmModel | None = None) -> str:
    """Return vLLM's version, after the model's name and revision if given. Raises EngineUnavailable without vLLM."""
    library = _library_version()
    return f"{public_name(model)}@{model.revision or 'unpinned'} vllm {library}" if model else library


def open_generator(model: VllmModel, answers: Place | None) -> TextGenerator:
    """Open the model, ready to be asked. Raises EngineUnavailable if it cannot load."""
    chat = VllmChat(model)
    if answers is None:
        return PromptedGenerator(chat, Asked.of(model))
    settings = model.model_dump(mode="json", exclude={"serving", *HOW_TO_ASK})
    # With the whole path, since two checkpoints of the same name are two models.
    identity = settings | {"version": chat.version, "model": model.model}
    return PromptedGenerator(CachedChatModel(chat, answers, identity), Asked.of(model))


class VllmChat:
    """A model under vLLM. Requests are batched by vLLM itself, however many are in flight.

    The same seed gives the same text only if the arithmetic is the same: on a GPU it may differ with the batch that a
    request happens to be in.
    """

    name = NAME

    def __init__(self, settings: VllmModel) -> None:
        self.version = version(settings)
        self._settings = settings
        self._engine: Any = None
        self._numbers = count()

    async def start(self) -> None:
        """Load the model in the thread of the running event loop, which takes seconds to minutes."""
        self._vllm = _import(self._settings)
        self._engine = self._load()
        try:
            self._tokenizer = self._engine.get_tokenizer()
            self._longest_prompt = self._engine.model_config.max_model_len - 1
            self._check_template()
        except BaseException:  # an interrupt of the start must not leave the engine behind either
            await self.close()
            raise

    async def complete(self, request: ChatRequest) -> ChatReply | Failure:
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if not _is_unicode(request.messages):
            return Failure(Reason.TEXT_ENGINE_FAILED, "the text is not valid Unicode")
        prompt = self._prompt(request.messages)
        if len(prompt) > self._longest_prompt:
            return Failure(Reason.TOO_LONG, f"{len(prompt)} tokens; the model takes {self._longest_prompt}")
        try:
            return reply_of(await self._generate(prompt, request))
        except EngineDeadError as error:
            raise self._died() from error
        except (EngineGenerateError, VLLMClientError, ValueError) as error:
            if self._engine is None or self._engine.errored:
                raise self._died() from error
            cause = error.__cause__ or error
            detail = public_text(f"{type(cause).__name__}: {cause}", self._settings)
            return Failure(Reason.TEXT_ENGINE_FAILED, f"vllm did not take the request: {detail}")

    async def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.shutdown(timeout=_SHUTDOWN_S)

    def _load(self) -> Any:
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        try:
            arguments = engine_arguments(self._settings, current_platform.device_type)
            return AsyncLLM.from_engine_args(self._vllm.AsyncEngineArgs(**arguments))
        except Exception as error:  # noqa: BLE001  checkpoints fail to load in ways that share no class
            detail = public_text(f"{type(error).__name__}: {error}", self._settings)
            # Not chained: the causes name directories.
            raise EngineUnavailable(f"vllm cannot load {public_name(self._settings)}: {detail}") from None

    def _check_template(self) -> None:
        """Refuse a chat template that does not take our conversations: it would fail every row."""
        try:
            self._prompt(_PROBE)
        except Exception as error:  # noqa: BLE001  a template is a program and may raise anything
            detail = public_text(str(error), self._settings)
            raise EngineUnavailable(
                f"vllm: the chat template of {public_name(self._settings)} does not take a conversation: {detail}"
            ) from None

    def _prompt(self, messages: Sequence[ChatMessage]) -> list[int]:
        conversation = [{"role": message.role, "content": message.content} for message in messages]
        return list(
            self._tokenizer.apply_chat_template(
                conversation,
                tokenize=True,
                add_generation_prompt=True,
                return_dict=False,
                **self._settings.template_options,
            )
        )

    async def _generate(self, prompt: list[int], request: ChatRequest) -> Any:
        """Return the finished output. If the caller is canceled, vLLM aborts the request."""
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        if self._engine is None:
            raise self._died()
        schema = None if request.schema is None else StructuredOutputsParams(json=dict(request.schema))
        sampling = self._vllm.SamplingParams(
            **sampling_arguments(self._settings, request),
            output_kind=RequestOutputKind.FINAL_ONLY,
            structured_outputs=schema,
        )
        number = f"parley-{next(self._numbers)}"
        last = None
        async for output in self._engine.generate({"prompt_token_ids": prompt}, sampling, number):
            last = output
        return last

    def _died(self) -> EngineDied:
        return EngineDied(f"vllm: the engine core of {public_name(self._settings)} is gone")


def reply_of(output: Any) -> ChatReply | Failure:
    """Read a finished `RequestOutput` of vLLM. Returns a Failure if it ended neither by itself nor at the limit."""
    completion = output.outputs[0]
    spent = Tokens(
        requests=1,
        prompt=len(output.prompt_token_ids or ()),
        cached=output.num_cached_tokens or 0,
        completion=len(completion.token_ids),
    )
    if completion.finish_reason not in ("stop", "length"):
        return Failure(Reason.TEXT_ENGINE_FAILED, f"vllm ended the request: {completion.finish_reason}", spent)
    return ChatReply(completion.text, completion.finish_reason, spent)


def _is_unicode(messages: Sequence[ChatMessage]) -> bool:
    """Tell whether tokenizers take the text: a lone surrogate, which is not a character, makes them raise."""
    try:
        for message in messages:
            message.content.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _library_version() -> str:
    try:
        return importlib.metadata.version("vllm")
    except importlib.metadata.PackageNotFoundError:
        # Builds for other hardware than CUDA have names of their own.
        names = importlib.metadata.packages_distributions().get("vllm")
    if not names:
        raise EngineUnavailable(f"vllm is not installed: {_INSTALL}")
    return importlib.metadata.version(names[0])


def _import(settings: VllmModel) -> ModuleType:
    """Import vLLM. Raises EngineUnavailable if this machine cannot run it or the checkpoint is missing."""
    path = Path(checkpoint(settings))
    if public_name(settings) != settings.model and not path.is_dir():
        raise EngineUnavailable(f"vllm: there is no directory {path.name} with a checkpoint")
    set_environment()
    try:
        import vllm
        from vllm.platforms import current_platform
    except (ImportError, OSError, RuntimeError) as error:
        # A build for CUDA without its libraries fails with any of these.
        detail = public_text(str(error), settings)
        raise EngineUnavailable(f"vllm does not load ({detail}): {_INSTALL}") from None
    if not current_platform.device_type:
        raise EngineUnavailable("vllm finds no GPU: its pool must claim one, and the machine must have one")
    module: ModuleType = vllm
    return module
