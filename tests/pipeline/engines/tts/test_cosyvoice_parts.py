"""Modes, errors and the watched thread of CosyVoice, without upstream."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pipeline.engines.contract import Failure
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.engines.tts.cosyvoice.errors import describe, is_fatal
from pipeline.engines.tts.cosyvoice.guards import audio_problem, control_token
from pipeline.engines.tts.cosyvoice.modes import END_OF_PROMPT, Mode, mode_of, prompt_text_of
from pipeline.engines.tts.cosyvoice.watch import LanguageModelError, watch
from tests.tables import each_row
from voicebank.voice import Voice

EMBEDDING = {"embedding": np.ones(192, np.float32)}
RECORDING = {"prompt_audio": b"x", "prompt_text": "what was said"}
UNTOLD = {"prompt_audio": b"x"}
NAMED: dict[str, Any] = {}


@each_row(
    ("holds", "voice_language", "text_language", "instruct", "version", "expected"),
    [
        (EMBEDDING, "en", "en", None, 1, Mode.SFT),
        (EMBEDDING, "mul", "en", None, 3, Mode.SFT),
        (NAMED, "en", "zh", None, 1, Mode.SFT),
        (RECORDING, "en", "en", None, 2, Mode.ZERO_SHOT),
        (RECORDING, "en", "zh", None, 2, Mode.CROSS_LINGUAL),
        (RECORDING, "mul", "zh", None, 2, Mode.CROSS_LINGUAL),
        (UNTOLD, "en", "en", None, 1, Mode.CROSS_LINGUAL),
        ({**RECORDING, **EMBEDDING}, "en", "en", None, 2, Mode.SFT),
        (EMBEDDING, "en", "en", "Slowly.", 1, Mode.INSTRUCT),
        (NAMED, "en", "en", "Slowly.", 1, Mode.INSTRUCT),
        (RECORDING, "en", "en", "Slowly.", 2, Mode.INSTRUCT2),
        (RECORDING, "en", "en", "Slowly.", 3, Mode.INSTRUCT2),
        (RECORDING, "en", "en", "Slowly.", 1, "not a prompt"),
        (EMBEDDING, "en", "en", "Slowly.", 2, "version 2 takes instructions only with a voice that has a prompt"),
        (NAMED, "en", "en", "Slowly.", 3, "version 3 takes instructions only"),
    ],
)
def test_what_the_voice_holds_decides_the_mode(
    holds: Any, voice_language: str, text_language: str, instruct: str | None, version: int, expected: Mode | str
) -> None:
    voice = Voice("v", "cosyvoice", "name", voice_language, "female", **holds)
    mode = mode_of(voice, text_language, instruct, version, stored_prompt=False)
    if isinstance(expected, Mode):
        assert mode is expected
    else:
        assert isinstance(mode, Failure) and expected in mode.detail


def test_a_recording_that_the_model_holds_is_one() -> None:
    voice = Voice("v", "cosyvoice", "name", "en", "female")
    assert mode_of(voice, "en", None, 2, stored_prompt=True) is Mode.ZERO_SHOT
    assert mode_of(voice, "en", "Slowly.", 2, stored_prompt=True) is Mode.INSTRUCT2


SYSTEM = "You are a helpful assistant."


@each_row(
    ("mode", "version", "instruct", "expected"),
    [
        (Mode.SFT, 1, None, ""),
        (Mode.SFT, 3, None, SYSTEM + END_OF_PROMPT),
        (Mode.ZERO_SHOT, 2, None, "told"),
        (Mode.ZERO_SHOT, 3, None, SYSTEM + END_OF_PROMPT + "told"),
        (Mode.CROSS_LINGUAL, 2, None, ""),
        (Mode.CROSS_LINGUAL, 3, None, SYSTEM + END_OF_PROMPT),
        (Mode.INSTRUCT, 1, "Slowly.", "Slowly." + END_OF_PROMPT),
        (Mode.INSTRUCT2, 2, "Slowly.", "Slowly." + END_OF_PROMPT),
        (Mode.INSTRUCT2, 3, "Slowly.", f"{SYSTEM} Slowly." + END_OF_PROMPT),
        (Mode.INSTRUCT2, 3, "As it is." + END_OF_PROMPT, "As it is." + END_OF_PROMPT),
    ],
)
def test_what_is_read_before_the_text(mode: Mode, version: int, instruct: str | None, expected: str) -> None:
    assert prompt_text_of(mode, version, "told", instruct) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, 3 < 4 | 5 > 2", None),
        ("a <|endofprompt|> b", "<|endofprompt|>"),
        ("ha [laughter] ha", "[laughter]"),
        ("[other] brackets", None),
    ],
)
def test_control_tokens_are_found(text: str, expected: str | None) -> None:
    assert control_token(text, ("[laughter]", "<strong>")) == expected


@pytest.mark.parametrize(
    ("samples", "problem"),
    [([], "no audio"), ([0.1, np.inf], "NaN or infinite"), ([0.0, 0.0], "silence"), ([0.0, 0.1], None)],
)
def test_audio_that_is_none(samples: list[float], problem: str | None) -> None:
    found = audio_problem(np.array(samples, np.float32))
    assert (found is None) if problem is None else (found is not None and problem in found.detail)


class OutOfMemoryError(RuntimeError):
    """Called as torch's."""


def wrapped(error: Exception) -> Exception:
    outer = LanguageModelError("the language model raised")
    outer.__cause__ = error
    return outer


@each_row(
    ("error", "fatal"),
    [
        (OutOfMemoryError("tried to allocate"), True),
        (wrapped(OutOfMemoryError("tried to allocate")), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), True),
        (RuntimeError("CUDA failure 2: out of memory ; GPU=0"), True),
        (RuntimeError("The size of tensor a must match"), False),
        (AssertionError("do not support extract speech token for audio longer than 30s"), False),
        (wrapped(ValueError("no token")), False),
    ],
)
def test_which_errors_end_the_worker(error: Exception, fatal: bool) -> None:
    assert is_fatal(error) == fatal


def test_private_directories_are_not_told() -> None:
    model = CosyVoiceModel(engine="cosyvoice", model="/srv/private dir/CosyVoice2")
    error = OSError("cannot open /srv/private dir/CosyVoice2/llm.pt\nnor /home/me/cache/x.bin")
    assert describe(error, model) == "OSError: cannot open CosyVoice2/llm.pt nor x.bin"
    hub = CosyVoiceModel(engine="cosyvoice", model="iic/CosyVoice2")
    assert describe(OSError("iic/CosyVoice2 is gone"), hub) == "OSError: iic/CosyVoice2 is gone"


class Inner:
    """As upstream's: a thread for the language model, whose exceptions nobody looks at."""

    def __init__(self) -> None:
        self.tts_speech_token_dict: dict[str, list[int]] = {}
        self.llm_end_dict: dict[str, bool] = {}

    def llm_job(self, text: list[str], session: str) -> None:
        self.tts_speech_token_dict[session] = [1]
        if text[0] == "raises":
            raise RuntimeError("the true reason")
        if text[0] == "empty":
            self.tts_speech_token_dict[session] = []

    def tts(self, text: list[str]) -> Iterator[str]:
        session = uuid.uuid4().hex
        self.llm_end_dict[session] = False
        thread = threading.Thread(target=self.llm_job, args=(text, session))
        thread.start()
        thread.join()
        if text[0] == "flow":
            raise RuntimeError("the flow")
        yield "audio of " + text[0]
        del self.tts_speech_token_dict[session], self.llm_end_dict[session]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("raises", LanguageModelError, "the language model raised RuntimeError: the true reason"),
        ("empty", LanguageModelError, "and gave no speech tokens"),
        ("flow", RuntimeError, "the flow"),
    ],
)
def test_what_the_thread_raises_comes_out_of_the_call(text: str, error: type[Exception], message: str) -> None:
    inner = Inner()
    watch(inner)
    with pytest.raises(error, match=message):
        list(inner.tts(text=[text]))
    assert (inner.tts_speech_token_dict, inner.llm_end_dict) == ({}, {})
    assert list(inner.tts(text=["fine"])) == ["audio of fine"]
