"""Put the mark on recordings that the corpus has nothing to do with, in three ways, and see what the detector says.

A mark that survives every attack and is never found by mistake still proves no origin if it can be put on somebody
else's recording. What an attacker has decides how:

* embedded: the watermarker itself, which for packaged ones everybody has;
* copied: another recording with and without the mark; their difference is added to the recording;
* estimated: one clip of the corpus and nothing else. What a Wiener filter takes out of it is added to the recording
  (Kutter, Voloshynovskiy, Herrigel: The watermark copy attack, 2000).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from pipeline.audio.levels import level_dbfs
from pipeline.audit.detect import MarkScore, in_batches
from pipeline.audit.needs import need
from pipeline.audit.rates import Proportion, rate, rate_at
from pipeline.engines.contract import Clip, Failure, Samples, Watermarker
from pipeline.engines.watermark._message import bit_errors

WIENER_SAMPLES = 5
"""The width of the filter: what is finer than it counts as the mark (our choice)."""

Pair = tuple[Clip, Clip, int]
"""A recording, a clip of the corpus, and the message of that clip."""

EMBEDDED, COPIED, ESTIMATED = "embedded", "copied", "estimated"
ABOUT = {
    EMBEDDED: "the watermarker itself marks the recording",
    COPIED: "the difference of another recording with and without the mark is added",
    ESTIMATED: "what a filter takes out of one clip of the corpus is added",
}


@dataclass(frozen=True, slots=True)
class Forged:
    """One line of the table: forged clips that reach the recipe's threshold, and those with the right message too.

    `with_message` is None if the method carries no message. Clips that the watermarker or the detector failed on are
    not counted.
    """

    forgery: str
    about: str
    detected: Proportion
    with_message: Proportion | None
    mean_score: float | None


def audit_forgery(
    pairs: Iterable[Pair],
    engine: Watermarker,
    detect: Callable[[Sequence[Clip]], list[MarkScore]],
    threshold: float,
    message_errors: int,
) -> tuple[Forged, ...]:
    """Forge the mark on the recording of each pair in each way. Returns a line for each way, in the order of ABOUT."""
    found: dict[str, list[tuple[MarkScore, int]]] = {name: [] for name in ABOUT}
    for some in in_batches(pairs):
        for name, forged in _forge(some, engine):
            clips = [clip for clip, _ in forged]
            scores = detect(clips) if clips else []
            found[name] += [(one, message) for one, (_, message) in zip(scores, forged, strict=True) if not one.failed]
    return tuple(_line(name, scores, engine.bits, threshold, message_errors) for name, scores in found.items())


def _forge(pairs: Sequence[Pair], engine: Watermarker) -> Iterator[tuple[str, list[tuple[Clip, int]]]]:
    """Yield for each way the forged clips with the messages that they should carry."""
    made = engine.embed([recording for recording, _, _ in pairs], [message for _, _, message in pairs])
    marked = [
        (recording, clip, message)
        for (recording, _, message), clip in zip(pairs, made, strict=True)
        if not isinstance(clip, Failure)
    ]
    yield EMBEDDED, [(clip, message) for _, clip, message in marked]
    # Each takes the mark of the one before it: a recording with its own mark would be `embedded` again.
    others = [marked[-1], *marked[:-1]] if len(marked) > 1 else []
    yield (
        COPIED,
        [
            (_added(recording, clip.samples - original.samples, _louder_db(recording, original)), message)
            for (recording, _, _), (original, clip, message) in zip(marked, others, strict=False)
        ],
    )
    yield ESTIMATED, [(_with_estimate(recording, own), message) for recording, own, message in pairs]


def _with_estimate(recording: Clip, marked: Clip) -> Clip:
    samples = marked.samples.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # digital silence has no local variance
        smooth = need("scipy.signal").wiener(samples, WIENER_SAMPLES)
    residual = np.nan_to_num(samples - smooth).astype(np.float32)
    return _added(recording, residual, _louder_db(recording, marked))


def _louder_db(clip: Clip, other: Clip) -> float:
    return level_dbfs(clip.samples) - level_dbfs(other.samples)


def _added(recording: Clip, residual: Samples, gain_db: float) -> Clip:
    """Add the residual, repeated or cut to the recording's length."""
    gain = np.float32(10 ** (gain_db / 20)) if np.isfinite(gain_db) else np.float32(0)
    fitting = np.resize(residual, recording.samples.shape) * gain
    return Clip(np.clip(recording.samples + fitting, -1, 1).astype(np.float32), recording.sample_rate)


def _line(
    name: str, found: Sequence[tuple[MarkScore, int]], bits: int, threshold: float, message_errors: int
) -> Forged:
    scores = [one.score for one, _ in found]
    own = sum(
        one.score >= threshold and bit_errors(one.message, message, bits) <= message_errors for one, message in found
    )
    return Forged(
        forgery=name,
        about=ABOUT[name],
        detected=rate_at(scores, threshold),
        with_message=rate(own, len(found)) if bits else None,
        mean_score=fmean(scores) if scores else None,
    )
