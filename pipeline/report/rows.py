"""Turns a row into what the page's browser shows of it, as plain values for JSON.

Keys are short, for a page may hold ten thousand rows; `pipeline/show/report/rows.js` reads them. What is None, empty
or false is left out.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.private_paths import public_text
from manifests.rows import takes_of
from manifests.schema import Dialogue, Hearing, Score, Take, Turn
from pipeline.report.flow import last_stage
from pipeline.report.sound import clip_seconds
from pipeline.report.timing import timeline_data

PEAKS = 160
"""Parts of a clip of which the waveform shows the peak: one for every two or three pixels."""
LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""A character for each of 64 levels of a peak, from silence to the loudest sample of the clip."""

_KINDS = {"equal": "e", "substitute": "s", "delete": "d", "insert": "i"}


def row_data(dialogue: Dialogue, rate: float | None, borderline: bool) -> dict[str, Any]:
    """Return the row; `rate` is the smallest limit that keeps it (see `pipeline.report.limits`)."""
    return _set(
        {
            "id": dialogue.dialogue_id,
            "l": dialogue.language,
            "s": dialogue.status,
            "r": dialogue.reason,
            "d": public_text(dialogue.detail) if dialogue.detail else None,
            "at": last_stage(dialogue),
            "from": f"{public_text(dialogue.source.dataset)} row {public_text(dialogue.source.row)}",
            "cer": _short(dialogue.cer),
            "wer": _short(dialogue.wer),
            "syl": _short(dialogue.syllable_rate),
            "lim": _short(rate),
            "b": borderline,
            "tl": timeline_data(dialogue),
        }
    ) | {"t": [_turn(turn) for turn in dialogue.turns]}


def peaks(samples: npt.NDArray[np.float32]) -> str:
    """Return the peaks of the clip, float32 [T], as characters of LEVELS: at most PEAKS, relative to the largest."""
    if not len(samples):
        return ""
    starts = np.unique(np.linspace(0, len(samples), PEAKS, endpoint=False).astype(np.int64))
    found = np.nan_to_num(np.maximum.reduceat(np.abs(samples), starts))
    levels = np.rint(found / max(float(found.max()), 1e-9) * (len(LEVELS) - 1)).astype(np.int64)
    return "".join(LEVELS[level] for level in levels.tolist())


def _turn(turn: Turn) -> dict[str, Any]:
    spoken = turn.text if turn.text is not None else turn.original_text
    return _set(
        {
            "role": turn.role,
            "kind": turn.kind if turn.kind != "turn" else None,
            "x": spoken,
            "u": turn.unsaid,
            "o": turn.original_text if turn.original_text != spoken else None,
            "m": turn.material,
            "k": [_take(take, is_final=take is turn.take) for take in takes_of(turn)],
        }
    )


def _take(take: Take, is_final: bool) -> dict[str, Any]:
    hearings = take.hearings or ((take.hearing,) if take.hearing else ())
    return _set(
        {
            "n": take.number,
            "v": take.voice_id,
            "rate": _short(take.rate),
            "dur": _short(clip_seconds(take.audio)) if take.audio else None,
            "r": take.reason,
            "f": is_final,
            "h": [_hearing(hearing, decides=hearing == take.hearing) for hearing in hearings],
            "q": _quality(take),
        }
    )


def _hearing(hearing: Hearing, decides: bool) -> dict[str, Any]:
    return _set(
        {
            "by": hearing.recognizer,
            "y": hearing.hypothesis,
            "r": hearing.reason,
            "c": decides,
            "e": _score(hearing.score) if hearing.score else None,
        }
    )


def _score(score: Score) -> dict[str, Any]:
    return _set(
        {
            "m": score.metric,
            "rate": _short(score.rate),
            "n": score.edits,
            "of": score.reference_length,
            "edge": _short(score.edge_error),
            "syl": _short(score.syllable_rate),
            "a": [[_KINDS[chunk.kind], chunk.meant, *_other(chunk.meant, chunk.heard)] for chunk in score.alignment],
        }
    )


def _other(meant: str, heard: str) -> list[str]:
    """Return what was heard, where it is not what was meant."""
    return [] if meant == heard else [heard]


def _quality(take: Take) -> dict[str, float | None]:
    measured = asdict(take.quality) if take.quality else {}
    measured["speaker_similarity"] = take.speaker_similarity
    return _set({name: _short(value) for name, value in measured.items()})


def _short(value: float | None) -> float | None:
    """Round to what people read; NaN and infinities, which JSON lacks, become None."""
    return None if value is None or not np.isfinite(value) else round(value, 4)


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out None, false and what is empty; a zero is a value."""
    return {key: value for key, value in values.items() if value or (value == 0 and value is not False)}
