"""Says what a part of a corpus holds, for the view's file and for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from manifests.views import PartNumbers, View
from pipeline.views.facts import Coded, Codes, Mask, RowFacts


def describe_parts(
    facts: RowFacts, gender: Coded, parts: tuple[str, ...], numbers: PartNumbers, nested: bool
) -> dict[str, Any]:
    """Return what each part holds, ready for JSON; `gender` is that of each row's user voice.

    `rows`, `audio_h`; `languages`: hours by language and gender of the user; `voices`: different voices by side, and
    how many of the corpus's are missing.
    """
    masks = {
        part: (numbers >= 0) & (numbers <= number) if nested else numbers == number
        for number, part in enumerate(parts)
    }
    return {part: _describe(facts, gender, mask) for part, mask in masks.items()}


def part_rows(view: View) -> list[tuple[str, ...]]:
    """Return a table row for each part: name, rows, speech, voices, speech by language and gender of the user."""
    parts = view.about.get("parts", {})
    return [
        (
            part,
            f"{found['rows']:,}",
            _time(found["audio_h"]),
            _voices(found["voices"], view.nested),
            _languages(found["languages"]),
        )
        for part, found in ((part, parts[part]) for part in view.parts)
    ]


def _languages(languages: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(
        f"{language} {_time(sum(genders.values()))} ("
        + ", ".join(f"{_time(hours)} {gender}" for gender, hours in genders.items())
        + ")"
        for language, genders in languages.items()
    )


def _time(hours: float) -> str:
    return f"{hours:,.2f} h" if hours >= 0.1 else f"{3600 * hours:,.1f} s"


def _voices(voices: Mapping[str, Mapping[str, int]], all_wanted: bool) -> str:
    return ", ".join(
        f"{found['has']:,} {side}" + (f" ({found['missing']:,} missing)" if all_wanted and found["missing"] else "")
        for side, found in voices.items()
    )


def _describe(facts: RowFacts, gender: Coded, mask: Mask) -> dict[str, Any]:
    languages: dict[str, dict[str, float]] = {}
    for number, language in sorted(enumerate(facts.language.names), key=lambda pair: pair[1]):
        inside = mask & (facts.language.codes == number)
        if inside.any():
            hours = np.bincount(gender.codes[inside] + 1, weights=facts.seconds[inside], minlength=1) / 3600
            names = ("unknown", *gender.names)
            languages[language] = {names[i]: round(float(h), 6) for i, h in enumerate(hours) if h}
    background = facts.background_voice.codes
    return {
        "rows": int(mask.sum()),
        "audio_h": round(float(facts.seconds[mask].sum()) / 3600, 6),
        "languages": languages,
        "voices": {
            "user": _counted(facts.user_voice.codes, mask),
            "agent": _counted(facts.agent_voice.codes, mask),
            **({"background": _counted(background, mask)} if (background >= 0).any() else {}),
        },
    }


def _counted(voices: Codes, mask: Mask) -> dict[str, int]:
    everywhere, inside = np.unique(voices[voices >= 0]), np.unique(voices[mask & (voices >= 0)])
    return {"has": len(inside), "missing": len(everywhere) - len(inside)}
