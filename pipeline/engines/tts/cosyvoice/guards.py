"""What is not sent to upstream at all, and what is not taken from it.

Of the cases here upstream makes an error that says nothing (a vector of another width, an empty text), no audio
("..."), or, without a word, audio that is wrong: NaN from a vector with NaN, a voice that nobody chose from zeros.
"""

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, Samples, SpeechRequest
from pipeline.engines.tts._prosody import unspeakable

LONGEST_PROMPT_S = 30
"""Upstream's own limit on a recording that it makes speech tokens of."""
SHORTEST_PROMPT_S = 0.5
"""Our own: less than a syllable or two is no voice, and upstream's transforms fail on a few hundredths of a second."""

_SLOWEST, _FASTEST = 0.4, 2.5
_CONTROL = re.compile(r"<\|[^|>]*\|>")


def refusal(request: SpeechRequest, controls: Iterable[str] = ()) -> Failure | None:
    """Why the request cannot be spoken, whatever the voice; None: it can. `controls` are the tokenizer's tokens."""
    if failure := unspeakable(request.text):
        return failure
    if token := control_token(request.text, controls):
        return Failure(Reason.UNPRONOUNCEABLE, f"the text holds the control token {token}")
    speed = request.voice.rate * request.rate
    if not _SLOWEST <= speed <= _FASTEST:
        return Failure(Reason.SYNTHESIS_FAILED, f"speaking rate {speed:g} is outside {_SLOWEST}..{_FASTEST}")
    if request.voice.pitch != 1.0:
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice does not change the pitch of a voice")
    return None


def control_token(text: str, controls: Iterable[str] = ()) -> str | None:
    """The first of the tokens that steer the model, and are not said, in the text. Text is data and must hold none."""
    if match := _CONTROL.search(text):
        return match[0]
    return next((token for token in controls if token in text), None)


def embedding_problem(embedding: npt.NDArray[np.float32], width: int) -> Failure | None:
    """What is wrong with a voice's embedding, which should be [width]."""
    if embedding.shape != (width,):
        shape = " x ".join(map(str, embedding.shape)) or "a scalar"
        return Failure(Reason.SYNTHESIS_FAILED, f"the voice's embedding is {shape}; the model takes {width} numbers")
    if not np.isfinite(embedding).all():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's embedding holds NaN or infinite numbers")
    if not embedding.any():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's embedding is all zeros")
    return None


def prompt_problem(samples: Samples, sample_rate: int) -> Failure | None:
    """What is wrong with a decoded prompt [T]."""
    seconds = len(samples) / sample_rate
    if not SHORTEST_PROMPT_S <= seconds <= LONGEST_PROMPT_S:
        limits = f"{SHORTEST_PROMPT_S}..{LONGEST_PROMPT_S} s"
        return Failure(Reason.SYNTHESIS_FAILED, f"the voice's prompt lasts {seconds:.2f} s; it must last {limits}")
    if not np.isfinite(samples).all() or not samples.any():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's prompt is silent, or holds NaN or infinite samples")
    return None


def audio_problem(samples: Samples) -> Failure | None:
    """What is wrong with what upstream made [T]."""
    if not samples.size:
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave no audio")
    if not np.isfinite(samples).all():
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave NaN or infinite samples")
    if not samples.any():
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave silence")
    return None
