"""Count the voices of the kept rows: how many of the bank's are used, how evenly, and whether the agents are right.

The bank is looked up by the name in the manifest. Without the bank, the rows alone tell which voices were used, but
neither their gender nor which voices were never used.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from manifests.schema import Dialogue
from manifests.shards import read_shard
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from pipeline.audit.corpus_view import CorpusView
from pipeline.stages.cast import CastSettings, engines_and_models
from voicebank.bank import Bank
from voicebank.cast import Agents, Casting
from voicebank.voice import ANY_LANGUAGE

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
UNKNOWN = "unknown"

_AGENT_COUNTS: dict[Agents, int] = {"one": 1, "pair": 2}


@dataclass(frozen=True, slots=True)
class Side:
    """The voices of one role in one language.

    `available` counts the voices that the recipe could cast; it is None if the bank was not found. `strangers` are
    voices that are used but not in the bank. `genders` counts dialogues; `quantiles` (0, 25, 50, 75, 100 %) are of the
    number of dialogues for each voice that is used.
    """

    language: str
    role: str
    dialogues: int
    used: int
    available: int | None
    strangers: tuple[str, ...]
    genders: dict[str, int]
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AgentCheck:
    """The agents of one language, used and expected.

    `expected` names them if the bank was found; otherwise `expected_count` is their number, if the recipe tells it.
    `unexpected` agents should not occur; `unused` agents were never drawn, as happens in small corpora.
    """

    language: str
    used: tuple[str, ...]
    expected: tuple[str, ...] | None
    expected_count: int | None
    unexpected: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether exactly the agents that the recipe asks for are used."""
        wanted = self.expected_count
        return not self.unexpected and not self.unused and (wanted is None or len(self.used) == wanted)


@dataclass(frozen=True, slots=True)
class Speakers:
    """The voices of the corpus. `misspoken` counts turns whose voice is not the one that their dialogue names."""

    bank: str
    bank_found: bool
    sides: tuple[Side, ...]
    agents: tuple[AgentCheck, ...]
    misspoken: int


@dataclass
class CastVoices:
    """Counts how many dialogues each voice has, by language and role, and the misspoken turns."""

    dialogues: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    misspoken: int = 0

    def add(self, dialogue: Dialogue) -> None:
        for role, voice in (("user", dialogue.user_voice), ("agent", dialogue.agent_voice)):
            self.dialogues.setdefault((dialogue.language, role), Counter())[voice or UNKNOWN] += 1
        self.misspoken += sum(
            (turn.take and turn.take.voice_id) != dialogue.voice_of(turn)
            for turn in dialogue.turns
            if turn.kind == "turn" or turn.take is not None
        )

    def merge(self, other: "CastVoices") -> None:
        for key, counts in other.dialogues.items():
            self.dialogues.setdefault(key, Counter()).update(counts)
        self.misspoken += other.misspoken


def count_voices(view: CorpusView, spread: Spread = one_by_one) -> CastVoices:
    """Count the voices of the kept rows, without their audio. Memory grows with the voices, not with the rows."""
    counts = CastVoices()
    for found in spread(_count_in_shard, [view.place / shard.path for shard in view.manifest.shards.get("kept", ())]):
        counts.merge(found)
    return counts


def _count_in_shard(shard: Place) -> CastVoices:
    counts = CastVoices()
    for group in read_shard(shard, audio=False):
        for dialogue in group:
            counts.add(dialogue)
    return counts


def audit_speakers(view: CorpusView, counted: CastVoices, bank_name: str) -> Speakers:
    """Compare the voices of the kept rows with those of the bank."""
    counts = counted.dialogues
    keys = sorted(counts, key=lambda key: (key[0], key[1] != "user"))
    return Speakers(
        bank=bank_name,
        bank_found=view.bank is not None,
        sides=tuple(_side(view, language, role, counts[language, role]) for language, role in keys),
        agents=tuple(_agents(view, language, counts[language, role]) for language, role in keys if role == "agent"),
        misspoken=counted.misspoken,
    )


def expected_agents(casting: Casting, bank: Bank, language: str) -> frozenset[str]:
    """Return the agents that casting can draw in the language, by trying every seed below twice their number."""
    agents = [voice for voice in bank.select(agent=True) if voice.language in (language, ANY_LANGUAGE)]
    drawn = (casting.draw(language, True, seed) for seed in range(2 * len(agents)))
    return frozenset(voice for voice in drawn if voice is not None)


def _side(view: CorpusView, language: str, role: str, counts: Mapping[str, int]) -> Side:
    bank = view.bank
    genders: Counter[str] = Counter()
    known = {voice.voice_id: voice.gender for voice in bank.voices} if bank else {}
    for voice, dialogues in counts.items():
        genders[known.get(voice, UNKNOWN)] += dialogues
    return Side(
        language=language,
        role=role,
        dialogues=sum(counts.values()),
        used=len(counts),
        available=len(_castable(view, bank, language, role)) if bank else None,
        strangers=tuple(sorted(set(counts) - set(known))) if bank else (),
        genders=dict(sorted(genders.items())),
        quantiles=tuple(float(q) for q in np.quantile(list(counts.values()), QUANTILES)),
    )


def _castable(view: CorpusView, bank: Bank, language: str, role: str) -> frozenset[str]:
    if role == "agent":
        return expected_agents(view.casting, bank, language)
    engines = set(engines_and_models(view.recipe))
    voices = bank.select(engines=engines, agent=False)
    return frozenset(voice.voice_id for voice in voices if voice.language in (language, ANY_LANGUAGE))


def _agents(view: CorpusView, language: str, counts: Mapping[str, int]) -> AgentCheck:
    used = frozenset(counts)
    expected = expected_agents(view.casting, view.bank, language) if view.bank else None
    return AgentCheck(
        language=language,
        used=tuple(sorted(used)),
        expected=None if expected is None else tuple(sorted(expected)),
        expected_count=_AGENT_COUNTS.get(view.recipe.section(CastSettings).agents)
        if expected is None
        else len(expected),
        unexpected=() if expected is None else tuple(sorted(used - expected)),
        unused=() if expected is None else tuple(sorted(expected - used)),
    )
