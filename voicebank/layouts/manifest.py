"""Any recordings, listed in `manifest.jsonl` in their directory: a JSON object for each clip.

`path` (relative to the directory) and `language` are required, and `recording` or `speaker`: the clips of one
recording are a group or, where no recording is named, those of one speaker. `gender` ("female", "male"), `text`,
`quality` (1 to 5) and `quality_scale` (by default DNSMOS P.808) are optional. A line with other keys, other types or a
path that leads out of the directory is a clip that cannot be used, and so is a second line for the same path.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from manifests.errors import InputError
from manifests.json_text import parse_json
from manifests.storage import Place
from voicebank.layouts._files import BAD_METADATA, is_inner_path, is_label, key, numbered_lines, text_of, unusable
from voicebank.layouts.clip import QualityScale, SourceClip
from voicebank.voice import Gender

MANIFEST_FILE = "manifest.jsonl"

_TEXTS = frozenset({"path", "recording", "speaker", "gender", "text", "language", "quality_scale"})
_KEYS = _TEXTS | {"quality"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_UNKNOWN_LANGUAGE = "und"
_GENDERS: dict[str, Gender] = {gender: gender for gender in get_args(Gender)}
_SCALES: dict[str, QualityScale] = {scale: scale for scale in get_args(QualityScale)}
_LONGEST_LINE = 100_000


def read(corpus: Place) -> Iterator[SourceClip]:
    seen: set[int] = set()
    for clip in _clips(corpus):
        # The same file in two groups would be two people. No other layout can list a file twice in this way.
        known = key(clip.clip_id)
        yield replace(clip, reason=BAD_METADATA) if known in seen else clip
        seen.add(known)


def _clips(corpus: Place) -> Iterator[SourceClip]:
    file = corpus / MANIFEST_FILE
    if not file.is_file():
        raise InputError(f"{corpus.name}: there is no {MANIFEST_FILE} beside the recordings")
    for number, line in numbered_lines(file):
        if line is None or line.strip():
            yield _clip(_row(line or "")) or unusable(f"{MANIFEST_FILE}:{number}", _UNKNOWN_LANGUAGE)


def _row(line: str) -> dict[str, Any]:
    """Read the values of a line, with None for missing ones; an empty dictionary where a key or a type is wrong."""
    try:
        row = parse_json(line) if len(line) <= _LONGEST_LINE else None
    except ValueError:
        return {}
    if not isinstance(row, dict) or row.keys() - _KEYS or not all(_is_text(row.get(name)) for name in _TEXTS):
        return {}
    return {name: row.get(name) for name in _KEYS}


def _clip(row: dict[str, Any]) -> SourceClip | None:
    """Return the clip of a row; None where a value is missing or wrong."""
    if not row or not _is_found(row) or not _is_scored(row):
        return None
    return SourceClip(
        clip_id=row["path"],
        path=row["path"],
        group=row["recording"] or row["speaker"],
        language=row["language"],
        speaker=row["speaker"],
        gender=_GENDERS[row["gender"]] if row["gender"] else None,
        text=text_of(row["text"] or ""),
        quality=None if row["quality"] is None else float(row["quality"]),
        quality_scale=None if row["quality"] is None else _SCALES[row["quality_scale"] or "dnsmos_p808"],
    )


def _is_found(row: dict[str, Any]) -> bool:
    """Whether the row names a file, its language and whose it is, in the right form."""
    labels = [row[name] for name in ("recording", "speaker") if row[name] is not None]
    return (
        is_inner_path(row["path"] or "")
        and bool(_LANGUAGE.fullmatch(row["language"] or ""))
        and bool(labels)
        and all(map(is_label, labels))
        and (row["gender"] is None or row["gender"] in _GENDERS)
    )


def _is_scored(row: dict[str, Any]) -> bool:
    """Whether the score is missing, or within 1..5 on a known scale."""
    quality, scale = row["quality"], row["quality_scale"]
    is_number = isinstance(quality, int | float) and not isinstance(quality, bool)
    return (quality is None or (is_number and 1 <= quality <= 5)) and (scale is None or scale in _SCALES)


def _is_text(value: object) -> bool:
    """Whether a value is None, or a text that UTF-8 can hold."""
    return value is None or (isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value))
