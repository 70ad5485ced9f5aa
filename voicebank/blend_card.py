"""The card of a bank of virtual voices, and the figures of its leak test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from voicebank.blend_options import BlendOptions
from voicebank.leak import Values, nearest_other, pair_similarities, quantiles
from voicebank.selection import DrawCounts, Drop, Rule
from voicebank.speaker_table import SpeakerTable
from voicebank.voice import GENDERS

METHOD = "weighted-average/1"
"""Goes into the card. Raise the number where the same speakers, options and seed would give other voices."""


class VoiceGroup(NamedTuple):
    """Voices that are counted together; `bucket` is in milliseconds per character."""

    agent: bool
    language: str
    gender: str
    bucket: int


def leak_figures(
    speakers: SpeakerTable,
    rule: Rule,
    tally: DrawCounts,
    to_real: Sequence[Values],
    to_parents: Sequence[Values],
    to_earlier: Sequence[Values],
) -> dict[str, Any]:
    """What leak.json holds, but for the counts of the writer."""
    return {
        "limits": {"leak": rule.leak_limit, "twin": rule.twin_limit},
        "drawn": tally.drawn,
        "kept": tally.kept,
        "dropped": {drop.value: tally.dropped[drop] for drop in Drop},
        "real_speakers": len(speakers),
        "nearest_real": quantiles(np.concatenate(to_real)),
        "nearest_real_of_all_drawn": {f"q{round(100 * q):02d}": _share(tally, q) for q in (0.05, 0.5, 0.95)},
        "own_parents": quantiles(np.concatenate(to_parents)),
        "nearest_earlier_voice": quantiles(np.concatenate(to_earlier)),
        "reference": reference(speakers),
    }


def reference(speakers: SpeakerTable) -> dict[str, Any]:
    """How alike the real speakers are among themselves: what the voices' figures are to be held against."""
    return {
        "nearest_other_speaker": quantiles(nearest_other(speakers.xvectors)),
        "different_speakers_of_one_gender": quantiles(different_speakers(speakers)),
    }


def different_speakers(speakers: SpeakerTable) -> Values:
    """Similarities of pairs of speakers of one gender, of up to 1000 of each."""
    genders = np.array(speakers.genders)
    return np.concatenate([pair_similarities(speakers.xvectors[genders == gender]) for gender in GENDERS])


def blend_card(
    name: str,
    card: Mapping[str, Any],
    speakers: SpeakerTable,
    rule: Rule,
    options: BlendOptions,
    counts: Counter[VoiceGroup],
    leak: Mapping[str, Any],
) -> dict[str, Any]:
    """The card; `card` is that of the speakers' bank. Of the leak test it has a summary."""
    return {
        "name": name,
        "kind": "voices",
        "description": f"Voices of nobody: averages of {options.parents} speakers each, of the bank {card['name']}",
        "method": METHOD,
        "sources": card.get("sources", []),
        "parents": {"name": card["name"], "digest": speakers.digest, "speakers": len(speakers)},
        "seed": options.seed,
        "count": options.count,
        "parents_per_voice": options.parents,
        "weights": list(options.weights),
        "balance": options.balance,
        "language_shares": None if options.languages is None else dict(options.languages),
        "engine": options.engine,
        "limits": {"leak": rule.leak_limit, "twin": rule.twin_limit},
        "encoder": card.get("encoder"),
        "embedding": card.get("embedding"),
        "counts": counts_of(counts),
        "leak": {key: leak[key] for key in ("drawn", "kept", "dropped", "nearest_real", "nearest_earlier_voice")},
    }


def counts_of(counts: Counter[VoiceGroup]) -> dict[str, Any]:
    """Voices by kind, and the users by language and gender."""
    users: dict[str, dict[str, int]] = {}
    for key, number in sorted(counts.items()):
        if not key.agent:
            genders = users.setdefault(key.language, {})
            genders[key.gender] = genders.get(key.gender, 0) + number
    agents = sum(number for key, number in counts.items() if key.agent)
    return {"users": counts.total() - agents, "agents": agents, "by_language": users}


def _share(tally: DrawCounts, share: float) -> float:
    return round(tally.nearest_real.quantile(share), 3)
