"""Gives Whisper's encoder a clip and some silence in place of 30 s, and says when a transcript of that is doubtful.

The encoder's time grows with its window, and most clips are much shorter than 30 s. Whisper was trained on 30 s with
silence after the speech, so a window that ends with the speech makes it say everything again and again. How much
silence is enough was measured: `docs/recognizers.md`.
"""

import math

from pipeline.engines.asr._chunked_decoding import WindowTranscript
from pipeline.engines.asr._windows import WINDOW_S
from pipeline.scoring.hallucination import flags
from pipeline.scoring.normalize import metric, tokens

STEP_S = 5
"""Windows of one batch must be equally long, and a clip's must not depend on its batch: lengths are rounded up."""

SPARE_S = 10
"""Seconds of silence after the rounded length."""

LABEL = f"cut-1+{SPARE_S}s"
"""Part of the recognizer's version; the first number goes up with any change of the lengths or of what is doubtful."""

_TWICE_TOKENS = {"wer": 2, "cer": 4}
"""The fewest words or characters that are "said twice": "no, no" and 谢谢 are not doubtful."""


def window_seconds(seconds: float, spare_s: float = SPARE_S) -> float:
    """Return how many seconds the encoder gets for a clip of `seconds`, at most 30."""
    return min(WINDOW_S, math.ceil(seconds / STEP_S) * STEP_S + spare_s)


def is_doubtful(heard: WindowTranscript, language: str, seconds: float) -> bool:
    """Whether a transcript is cut off, flagged, or ends with what it has just said, as too short a window makes it."""
    text = heard.text
    if not heard.ended or flags(
        text, language, seconds, no_speech=heard.no_speech, log_probability=heard.log_probability
    ):
        return True
    words = tokens(text, language)
    fewest = _TWICE_TOKENS[metric(language)]
    return any(words[-size:] == words[-2 * size : -size] for size in range(fewest, len(words) // 2 + 1))
