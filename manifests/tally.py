"""Counts the rows of a corpus while it is written, and checks that a row ends properly."""

from collections import Counter
from dataclasses import dataclass, field

from manifests.manifest import FINAL_STATUSES, Counts
from manifests.packed_rows import PackedRow
from manifests.reasons import Reason
from manifests.schema import Dialogue

_KINDS = {reason.value: reason.kind for reason in Reason}


def problem_of_end(status: str, reason: str | None) -> str | None:
    """Say why a row's end is wrong; None if it is kept without a reason, or dropped with a reason of its kind."""
    if status not in FINAL_STATUSES:
        return f"the status is {status}"
    if status == "kept":
        return None if reason is None else f"kept, with the reason {reason}"
    if reason not in _KINDS:
        return f"{status}, with the reason {reason}, which is not in the list"
    if _KINDS[reason] != status:
        return f"{status}, but {reason} is a reason for {_KINDS[reason]}"
    return None


@dataclass
class Tally:
    """Counts rows as they pass."""

    _rows: Counter[str] = field(default_factory=Counter)
    _turns: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _languages: Counter[tuple[str, str]] = field(default_factory=Counter)
    _samples: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    _tracks: Counter[str] = field(default_factory=Counter)
    _timelines: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def add(self, dialogue: Dialogue | PackedRow) -> None:
        status, language = dialogue.status, dialogue.language
        self._rows[status] += 1
        self._turns[status] += len(dialogue.turns)
        self._languages[status, language] += 1
        if dialogue.reason is not None:
            self._reasons[str(dialogue.reason)] += 1
        for turn in dialogue.turns:
            if turn.audio is not None:
                self._samples[status, language, turn.audio.sample_rate] += turn.audio.num_samples
        if (timeline := dialogue.timeline) is not None:
            self._timelines[status, language, timeline.sample_rate] += timeline.num_samples
            if timeline.tracks:
                self._tracks[status] += len(timeline.tracks)

    def counts(self) -> Counts:
        languages: dict[str, dict[str, int]] = {}
        for (status, language), rows in sorted(self._languages.items()):
            languages.setdefault(status, {})[language] = rows
        return Counts(
            dict(self._rows),
            dict(self._turns),
            dict(self._reasons),
            languages,
            _by_rate(self._samples),
            dict(self._tracks),
            _by_rate(self._timelines),
        )


def _by_rate(counted: Counter[tuple[str, str, int]]) -> dict[str, dict[str, dict[str, int]]]:
    samples: dict[str, dict[str, dict[str, int]]] = {}
    for (status, language, rate), total in sorted(counted.items()):
        samples.setdefault(status, {}).setdefault(language, {})[str(rate)] = total
    return samples
