"""Writes the bank from the finished blocks: speakers, rejects, and the card last."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from manifests.errors import CorpusError, UserError
from manifests.storage import Place
from pipeline.bank.listing import Listing
from pipeline.bank.recipe import BankRecipe
from pipeline.bank.results import REJECTED_FILE, RejectedClips, block_rejects, block_speakers, write_rejects
from pipeline.engines.registry import engine_of
from voicebank.tables import SPEAKERS_FILE, write_card, write_speakers
from voicebank.voice import Speaker

_QUANTILES = (0.0, 0.05, 0.5, 0.95)


@dataclass
class _BankTally:
    """Counts speakers and rejects while they are written."""

    languages: Counter[str] = field(default_factory=Counter)
    genders: Counter[str] = field(default_factory=Counter)
    clip_reasons: Counter[str] = field(default_factory=Counter)
    group_reasons: Counter[str] = field(default_factory=Counter)
    speakers: int = 0
    kept_clips: int = 0
    rejected_clips: int = 0
    speech_s: float = 0.0
    halves: list[float] = field(default_factory=list)
    dimension: int | None = None
    embedding_dimension: int | None = None

    def speaker(self, speaker: Speaker) -> Speaker:
        self.languages[speaker.language] += 1
        self.genders[speaker.gender] += 1
        self.speakers += 1
        self.kept_clips += speaker.clips
        self.speech_s += speaker.speech_s
        self.halves.append(speaker.half_similarity)
        self.dimension = len(speaker.xvector)
        self.embedding_dimension = None if speaker.embedding is None else len(speaker.embedding)
        return speaker

    def reject(self, reject: RejectedClips) -> RejectedClips:
        (self.group_reasons if reject.clip_id is None else self.clip_reasons)[reject.reason] += 1
        self.rejected_clips += reject.clips
        return reject


def pack(out: Place, built: Place, listing: Listing, recipe: BankRecipe, parts: dict[str, Any]) -> dict[str, Any]:
    """Write the bank into `out`, in the order of the groups, and return its card. `parts` is the job's identity.

    Raises UserError if no group became a speaker; the rejects are still written, with the reasons.
    """
    tally = _BankTally()
    write_rejects(out, map(tally.reject, _rejects(built, listing.blocks)))
    write_speakers(out, map(tally.speaker, _speakers(built, listing.blocks)), recipe.has_raw_embeddings)
    _check(tally, listing)
    if not tally.speakers:
        (out / SPEAKERS_FILE).delete()
        raise UserError(f"no group of clips became a speaker ({_summary(tally)}); {REJECTED_FILE} holds the reasons")
    card = _card(out.name, tally, listing, recipe, parts)
    write_card(out, card)
    return card


def _speakers(built: Place, blocks: int) -> Iterator[Speaker]:
    for block in range(blocks):
        yield from block_speakers(built, block)


def _rejects(built: Place, blocks: int) -> Iterator[RejectedClips]:
    """Yield the rejects by group, and within a group its clips before the group itself."""
    for block in range(blocks):
        yield from sorted(block_rejects(built, block), key=lambda r: (r.group, r.clip_id is None, r.clip_id or ""))


def _check(tally: _BankTally, listing: Listing) -> None:
    clips = tally.kept_clips + tally.rejected_clips
    groups = tally.speakers + tally.group_reasons.total()
    if (clips, groups) != (listing.clips, listing.groups):
        raise CorpusError(
            f"{clips} clips and {groups} groups came out, but {listing.clips} and {listing.groups} went in"
        )


def _summary(tally: _BankTally) -> str:
    found = (tally.group_reasons + tally.clip_reasons).most_common(4)
    return ", ".join(f"{reason} {count}" for reason, count in found)


def _card(name: str, tally: _BankTally, listing: Listing, recipe: BankRecipe, parts: dict[str, Any]) -> dict[str, Any]:
    source = parts["inputs"]
    sources = [{"dataset": source["dataset"], "layout": source["layout"], "license": source["license"]}]
    return {
        "name": name,
        "kind": "speakers",
        "description": f"Real speakers of {source['dataset']}, to blend virtual voices from; they are never cast.",
        "sources": sources,
        "recipe": recipe.content() | {"description": recipe.description},
        "counts": _counts(tally, listing),
        "encoder": _engine("encoder", recipe, parts) | {"dimension": tally.dimension},
        "embedding": _embedding(tally, recipe, parts),
        "quality": {
            **_engine("quality", recipe, parts),
            "scale": recipe.quality.scale,
            "threshold": recipe.quality.threshold,
            "predicted": listing.without_score > 0,
        },
        "pair_rule": {
            "threshold": recipe.pair_rule.threshold,
            "min_pairs": recipe.pair_rule.min_pairs,
            "min_clips": recipe.groups.min_clips,
        },
        "half_similarity": {f"q{round(100 * q):02d}": float(np.quantile(tally.halves, q)) for q in _QUANTILES},
        "vad": _engine("vad", recipe, parts),
        "gender": _engine("gender", recipe, parts) | {"min_confidence": recipe.gender.min_confidence},
        "listing_sha256": listing.sha256,
        "parley_version": parts["parley"],
    }


def _counts(tally: _BankTally, listing: Listing) -> dict[str, Any]:
    return {
        "speakers": tally.speakers,
        "by_language": dict(sorted(tally.languages.items())),
        "by_gender": dict(sorted(tally.genders.items())),
        "speech_s": round(tally.speech_s, 3),
        "groups": {
            "listed": listing.groups,
            "kept": tally.speakers,
            "rejected": tally.group_reasons.total(),
            "reasons": dict(sorted(tally.group_reasons.items())),
        },
        "clips": {
            "listed": listing.clips,
            "kept": tally.kept_clips,
            "rejected": tally.rejected_clips,
            "rejected_singly": tally.clip_reasons.total(),
            "reasons": dict(sorted(tally.clip_reasons.items())),
        },
    }


def _embedding(tally: _BankTally, recipe: BankRecipe, parts: dict[str, Any]) -> dict[str, Any] | None:
    if recipe.embedding.encoder is None:
        return None
    return _engine("embedding", recipe, parts) | {
        "dimension": tally.embedding_dimension,
        "raw": recipe.has_raw_embeddings,
    }


def _engine(role: str, recipe: BankRecipe, parts: dict[str, Any]) -> dict[str, Any]:
    """Return the engine of a role and its `version`; both are None if the recipe names no engine."""
    named = recipe.engines.get(role)
    if named is None:
        return {"engine": None, "label": None}
    model = recipe.models.get(named[1])
    return {"engine": engine_of(model) if model else named[1], "label": parts["engines"][f"{role}/{named[1]}"]}
