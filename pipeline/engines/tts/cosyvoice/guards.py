"""Refuses requests that upstream must not be given, and audio that it must not have made.

In the cases here, upstream raises an error that explains nothing (a vector of another width, an empty text), gives no
audio ("..."), or silently gives wrong audio: NaN from a vector with NaN, a voice that nobody chose from zeros.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, Samples, SpeechRequest
from pipeline.engines.tts._prosody import unspeakable

LONGEST_PROMPT_S = 30
"""Upstream's own limit on a recording from which it makes speech tokens."""
SHORTEST_PROMPT_S = 0.5
"""Our own limit: a syllable or two say too little of a voice, and upstream's transforms fail on a few hundredths of a
second."""

_SLOWEST, _FASTEST = 0.4, 2.5
_CONTROL = re.compile(r"<\|[^|>]*\|>")


def refusal(request: SpeechRequest, controls: Iterable[str] = ()) -> Failure | None:
    """Say why a request cannot be spoken, whatever its voice; None where it can.

    `controls` are the control tokens of the tokenizer.
    """
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
    """Return the first token in a text that steers the model instead of being spoken; None where there is none.

    Text is data, and must not steer the model.
    """
    if match := _CONTROL.search(text):
        return match[0]
    return next((token for token in controls if token in text), None)


def embedding_problem(embedding: npt.NDArray[np.float32], width: int) -> Failure | None:
    """Say what is wrong with a voice's embedding, which should be [width]."""
    if embedding.shape != (width,):
        shape = " x ".join(map(str, embedding.shape)) or "a scalar"
        return Failure(Reason.SYNTHESIS_FAILED, f"the voice's embedding is {shape}; the model takes {width} numbers")
    if not np.isfinite(embedding).all():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's embedding holds NaN or infinite numbers")
    if not embedding.any():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's embedding is all zeros")
    return None


def prompt_problem(samples: Samples, sample_rate: int) -> Failure | None:
    """Say what is wrong with a decoded prompt [T]."""
    seconds = len(samples) / sample_rate
    if not SHORTEST_PROMPT_S <= seconds <= LONGEST_PROMPT_S:
        limits = f"{SHORTEST_PROMPT_S}..{LONGEST_PROMPT_S} s"
        return Failure(Reason.SYNTHESIS_FAILED, f"the voice's prompt lasts {seconds:.2f} s; it must last {limits}")
    if not np.isfinite(samples).all() or not samples.any():
        return Failure(Reason.SYNTHESIS_FAILED, "the voice's prompt is silent, or holds NaN or infinite samples")
    return None


def audio_problem(samples: Samples) -> Failure | None:
    """Say what is wrong with the samples [T] that upstream made."""
    if not samples.size:
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave no audio")
    if not np.isfinite(samples).all():
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave NaN or infinite samples")
    if not samples.any():
        return Failure(Reason.SYNTHESIS_FAILED, "cosyvoice gave silence")
    return None


def control_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Return the tokens that versions 2 and 3 add for noises, stress and phonemes.

    Those of version 1 are all <|...|>.
    """
    special = getattr(tokenizer, "special_tokens", None)
    return tuple(special.get("additional_special_tokens", ())) if isinstance(special, dict) else ()
