"""Computes statistics of a corpus from its manifest and a few small columns, without reading any audio.

Each shard is counted by itself, wherever `spread` says, and the counts are added up in the order of the shards.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.distributions import COLUMNS as QUALITY_COLUMNS
from manifests.distributions import Qualities, Values
from manifests.manifest import FINAL_STATUSES, Counts, Manifest, load_manifest
from manifests.shards import read_tables
from manifests.spread import Spread, one_by_one
from manifests.storage import Place

_COLUMNS = (
    "language",
    "user_voice",
    "agent_voice",
    "cer",
    "wer",
    "syllable_rate",
    "turns.attempts.number",
    "turns.attempts.hearings.reason",
    "turns.attempts.hearings.score.alignment.heard",
    *QUALITY_COLUMNS,
)
_QUANTILES = (0.5, 0.9, 0.95, 0.99, 1.0)


def stats(place: Place, spread: Spread = one_by_one) -> dict[str, Any]:
    """Return the statistics of the corpus directory `place`, ready for JSON. `spread` does the work shard by shard.

    `rows`, `reasons`, `turns`: counts. `yield`: kept rows as a fraction of all, None for an empty corpus. `audio_h`:
    hours by status. `languages`: rows and hours of each language by status. `voices`: different voices of the kept
    rows by side. `error_rate`: by status and language, the rate that scores it ("cer" or "wer"), and in Mandarin the
    "syllable_rate" too: how many rows have one, the mean and the quantiles. `attempts`: turns by how many takes they
    had, by status. `second_opinions`: by status and language, takes that the first recognizer heard badly and a second
    one well ("recognizer_wrong": the first was), and takes that it heard badly too ("voice_wrong"). `agreement`: by
    status and language, of the takes that two recognizers heard: their number ("takes"), how often they wrote the same
    ("same_words"), and how many were good enough by both, by the first or the second only, and by neither. `quality`:
    by status, language and measure, how many turns have it, the mean and the quantiles.
    """
    manifest = load_manifest(place)
    counts = manifest.counts
    gathered = _gather(place, manifest, spread)
    kept = gathered.get("kept", _Gathered())
    return {
        "recipe": manifest.recipe.name,
        "rows": {"input": counts.input_rows, **_by_status(counts.rows)},
        "yield": counts.rows.get("kept", 0) / counts.input_rows if counts.input_rows else None,
        "reasons": dict(sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0]))),
        "turns": _by_status(counts.turns),
        "audio_h": {status: _hours(counts, status) for status in FINAL_STATUSES},
        "languages": _languages(counts),
        "voices": {side: len(voices) for side, voices in kept.voices.items()},
        "error_rate": {status: part.error_rates() for status, part in gathered.items()},
        "attempts": {status: part.attempts() for status, part in gathered.items()},
        "second_opinions": {status: part.second_opinions() for status, part in gathered.items()},
        "agreement": {status: part.agreement() for status, part in gathered.items()},
        "quality": {status: part.qualities.figures() for status, part in gathered.items()},
    }


class _Gathered:
    """Gathers data on the rows of one status: how often each error rate occurs, the voices, the numbers of takes."""

    def __init__(self) -> None:
        self.voices: dict[str, set[str]] = {"user": set(), "agent": set()}
        self._rates: dict[tuple[str, str], Values] = {}
        self._takes: Counter[int] = Counter()
        self._faults: dict[str, Counter[str]] = {}
        self._agreement: dict[str, Counter[str]] = {}
        self.qualities = Qualities()

    def add(self, table: pa.Table) -> None:
        for side, voices in self.voices.items():
            voices.update(pc.unique(table[f"{side}_voice"]).drop_null().to_pylist())
        for language in pc.unique(table["language"]).to_pylist():
            rows = table.filter(pc.equal(table["language"], language))
            for metric in ("cer", "wer", "syllable_rate"):
                rates = rows[metric].drop_null().to_numpy()
                if len(rates):
                    self._rates.setdefault((language, metric), Values()).add(rates)
            self.qualities.add(language, rows)
            heard_twice = _heard_twice(rows)
            if faults := _second_opinions(heard_twice):
                self._faults.setdefault(language, Counter()).update(faults)
            if agreement := _agreement(heard_twice):
                self._agreement.setdefault(language, Counter()).update(agreement)
        self._takes.update(_takes(table))

    def merge(self, other: "_Gathered") -> None:
        """Add what was gathered of later rows."""
        for side, voices in other.voices.items():
            self.voices[side] |= voices
        for key, values in other._rates.items():
            self._rates.setdefault(key, Values()).merge(values)
        self.qualities.merge(other.qualities)
        for own, added in ((self._faults, other._faults), (self._agreement, other._agreement)):
            for language, counts in added.items():
                own.setdefault(language, Counter()).update(counts)
        self._takes.update(other._takes)

    def attempts(self) -> dict[str, int]:
        return {str(number): turns for number, turns in sorted(self._takes.items())}

    def second_opinions(self) -> dict[str, dict[str, int]]:
        kinds = ("recognizer_wrong", "voice_wrong")
        return {language: {kind: found[kind] for kind in kinds} for language, found in sorted(self._faults.items())}

    def agreement(self) -> dict[str, dict[str, int]]:
        names = ("takes", "same_words", "both_good", "first_good", "second_good", "none_good")
        return {language: {n: found[n] for n in names} for language, found in sorted(self._agreement.items())}

    def error_rates(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for (language, metric), values in sorted(self._rates.items()):
            found.setdefault(language, {})[metric] = {
                "rows": values.number,
                "mean": values.mean,
                "quantiles": {str(q): values.quantile(q) for q in _QUANTILES},
            }
        return found


def _gather(place: Place, manifest: Manifest, spread: Spread) -> dict[str, _Gathered]:
    """Gather the data of each status, in the order of the manifest."""
    gathered = {status: _Gathered() for status in manifest.shards}
    shards = [(status, shard.path) for status, shards in manifest.shards.items() for shard in shards]
    found = spread(_gather_shard, [place / path for _, path in shards])
    for (status, _), part in zip(shards, found, strict=True):
        gathered[status].merge(part)
    return gathered


def _gather_shard(shard: Place) -> _Gathered:
    gathered = _Gathered()
    for table in read_tables(shard, _COLUMNS):
        gathered.add(table)
    return gathered


def _takes(table: pa.Table) -> dict[int, int]:
    """Count the turns by their number of takes."""
    turns = pc.list_flatten(table["turns"])
    found = pc.value_counts(pc.list_value_length(pc.struct_field(turns, "attempts")))
    return {entry["values"]: entry["counts"] for entry in found.to_pylist()}


def _heard_twice(table: pa.Table) -> tuple[Any, Any]:
    """Return the first and the second hearings of the takes that two recognizers heard."""
    attempts = pc.list_flatten(pc.struct_field(pc.list_flatten(table["turns"]), "attempts"))
    hearings = pc.struct_field(attempts, "hearings")
    asked = hearings.filter(pc.greater(pc.list_value_length(hearings), 1))
    return pc.list_element(asked, 0), pc.list_element(asked, 1)


def _second_opinions(hearings: tuple[Any, Any]) -> Counter[str]:
    """Count whose fault it was in each take that the first recognizer heard badly: the second one's reason tells."""
    first, second = (pc.is_valid(pc.struct_field(one, "reason")) for one in hearings)
    doubted = second.filter(first)
    if not len(doubted):
        return Counter()
    wrong = pc.sum(doubted).as_py()
    return Counter(recognizer_wrong=len(doubted) - wrong, voice_wrong=wrong)


def _agreement(hearings: tuple[Any, Any]) -> Counter[str]:
    """Count how two recognizers agree: in their words, as they were scored, and in their judgment of the take."""
    if not len(hearings[0]):
        return Counter()
    good = [np.asarray(pc.is_null(pc.struct_field(one, "reason"))) for one in hearings]
    same = sum(one is not None and one == other for one, other in zip(*map(_words_of, hearings), strict=True))
    return Counter(
        takes=len(hearings[0]),
        same_words=same,
        both_good=int((good[0] & good[1]).sum()),
        first_good=int((good[0] & ~good[1]).sum()),
        second_good=int((~good[0] & good[1]).sum()),
        none_good=int((~good[0] & ~good[1]).sum()),
    )


def _words_of(hearings: Any) -> list[list[str] | None]:
    """Return what each heard, normalized, in the chunks of its alignment; None where it failed."""
    score = pc.struct_field(hearings, "score")
    chunks = pc.struct_field(score, "alignment").to_pylist()
    known = pc.is_valid(score).to_pylist()
    return [
        [word for chunk in found for word in chunk["heard"].split()] if there and found is not None else None
        for there, found in zip(known, chunks, strict=True)
    ]


def _by_status(numbers: Mapping[str, int]) -> dict[str, int]:
    return {status: numbers.get(status, 0) for status in FINAL_STATUSES}


def _hours(counts: Counts, status: str, language: str | None = None) -> float:
    return counts.audio_s(status, language) / 3600


def _languages(counts: Counts) -> dict[str, Any]:
    names = sorted({name for rows in counts.languages.values() for name in rows})
    return {
        name: {
            status: {
                "rows": counts.languages.get(status, {}).get(name, 0),
                "audio_h": _hours(counts, status, name),
            }
            for status in FINAL_STATUSES
        }
        for name in names
    }
