"""Counts the voices of a corpus: who speaks how much, and who is understood."""

from collections.abc import Mapping, Sequence
from typing import Any

from manifests.schema import Dialogue
from pipeline.report.sound import clip_seconds

SHOWN = 200
"""Voices that the page lists, those with the highest error rate before the gate; a bank may have 40,000."""


class VoiceCounts:
    """Collects turns and seconds of the kept rows by language, role and voice."""

    def __init__(self) -> None:
        self._spoken: dict[tuple[str, str, str], list[float]] = {}

    def add(self, dialogue: Dialogue) -> None:
        """Add a row; one that is not kept is left out."""
        for turn in dialogue.turns if dialogue.status == "kept" else ():
            if turn.take is not None:
                found = self._spoken.setdefault((dialogue.language, turn.role, turn.take.voice_id), [0, 0.0])
                found[0] += 1
                found[1] += clip_seconds(turn.audio)

    def figures(self, genders: Mapping[str, str] | None, errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return counts by language, role and gender, and the voices with their error rates.

        `genders` maps voices to genders; None where no bank is known. `errors` are the entries of `Errors.voices`.
        """
        listed = sorted(errors, key=lambda row: (-(row["before"]["rate"] or 0.0), row["language"], row["voice"]))
        return {
            "genders_known": genders is not None,
            "groups": self._groups(genders or {}),
            "total": len(listed),
            "voices": [self._voice(row, genders or {}) for row in listed[:SHOWN]],
        }

    def _groups(self, genders: Mapping[str, str]) -> list[dict[str, Any]]:
        groups: dict[tuple[str, str, str], list[float]] = {}
        for (language, role, voice), (turns, seconds) in self._spoken.items():
            found = groups.setdefault((language, role, genders.get(voice, "")), [0, 0, 0.0])
            for place, value in enumerate((1, turns, seconds)):
                found[place] += value
        names = "language", "role", "gender", "voices", "turns", "seconds"
        return [
            dict(zip(names, (*key, *map(_rounded, values)), strict=True)) for key, values in sorted(groups.items())
        ]

    def _voice(self, row: Mapping[str, Any], genders: Mapping[str, str]) -> dict[str, Any]:
        spoken = [
            self._spoken[key]
            for role in ("user", "agent")
            if (key := (row["language"], role, row["voice"])) in self._spoken
        ]
        turns, seconds = (sum(part) for part in zip(*spoken, strict=True)) if spoken else (0, 0.0)
        return {**row, "gender": genders.get(row["voice"], ""), "kept_turns": turns, "seconds": _rounded(seconds)}


def _rounded(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 2)
