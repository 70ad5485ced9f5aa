"""Gathers what the card and the Croissant file say of a corpus: counted from its rows and its manifest, never stated.

What is not recorded stays None or "unknown", and is said to be unknown.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifests.corpus import Corpus
from manifests.errors import ParleyError, UserError
from manifests.manifest import FINAL_STATUSES, SIGNER, Manifest, manifest_digest
from manifests.private_paths import public_text
from manifests.reasons import reason_of
from manifests.schema import Dialogue
from voicebank.bank import Bank, load_bank, shipped_banks
from voicebank.voice import Voice

UNKNOWN = "unknown"
BACKGROUND = "background"
"""The kind of turns that somebody behind the user speaks, with a voice of its own."""
GATES = ("screen", "dedup", "watermark", "transcribe", "gate", "assess")
"""Stages that drop rows by limits."""


@dataclass
class PartFacts:
    """Counts the rows of a part: a split, or what a subset adds to a smaller one. `seconds` are of audio."""

    dialogues: int = 0
    turns: int = 0
    seconds: float = 0.0


@dataclass
class Facts:
    """Holds the facts. Counters count published dialogues, `seconds` of languages and roles are of audio.

    `voices` counts dialogues by role and voice, `genders` by role and gender, the background being a role of its own;
    `kinds` counts turns by kind and `kind_seconds` their audio; `error_rates` holds by language the
    metric, the number of dialogues that have a rate and its mean; `marks` counts turns by watermark; `codecs` turns;
    `bank` is None if the corpus's bank is not at hand.
    """

    manifest: Manifest
    digest: str
    bank_name: str
    bank: Bank | None
    signed: bool
    parts: dict[str, PartFacts] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    role_seconds: dict[str, float] = field(default_factory=dict)
    voices: dict[str, Counter[str]] = field(default_factory=dict)
    genders: dict[str, Counter[str]] = field(default_factory=dict)
    voice_licenses: Counter[str] = field(default_factory=Counter)
    datasets: dict[str, Counter[str]] = field(default_factory=dict)
    error_rates: dict[str, tuple[str, int, float]] = field(default_factory=dict)
    marks: Counter[str] = field(default_factory=Counter)
    lowest_mark: float | None = None
    codecs: Counter[str] = field(default_factory=Counter)
    sample_rates: Counter[int] = field(default_factory=Counter)
    turns_of: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    kind_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def dialogues(self) -> int:
        return sum(part.dialogues for part in self.parts.values())

    @property
    def turns(self) -> int:
        return sum(part.turns for part in self.parts.values())

    @property
    def hours(self) -> float:
        return sum(part.seconds for part in self.parts.values()) / 3600

    @property
    def is_speech(self) -> bool:
        """Whether anything but the tone engine spoke."""
        return any(name.startswith("tts/") and name != "tts/tone" for name in self.manifest.engines)

    @property
    def is_verified(self) -> bool:
        """Whether a recognizer that listens checked the clips."""
        return any(name.startswith("asr/") and name != "asr/tone" for name in self.manifest.engines)

    @property
    def yields(self) -> list[tuple[str, int]]:
        """Rows of the whole corpus by status."""
        return [(status, self.manifest.counts.rows.get(status, 0)) for status in FINAL_STATUSES]

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """Reason, rows and meaning of what the whole corpus dropped, the most frequent first."""
        counted = sorted(self.manifest.counts.reasons.items(), key=lambda item: (-item[1], item[0]))
        return [(name, rows, found.meaning if (found := reason_of(name)) else UNKNOWN) for name, rows in counted]

    @property
    def limits(self) -> list[tuple[str, str]]:
        """Dotted key and value of each setting of the stages that drop rows, as the corpus was made with them."""
        stages = self.manifest.recipe.settings.get("stages")
        chosen = {name: stages[name] for name in GATES if name in stages} if isinstance(stages, Mapping) else {}
        return [(key, public_text(str(value), limit=200)) for key, value in _leaves(chosen) if value is not None]


def gather_facts(parts: Mapping[str, Corpus], is_written: Callable[[Dialogue], bool], bank: str | None) -> Facts:
    """Go through the rows, without their audio, of which `is_written` says that they are published.

    `bank` is the voice bank that the publisher names; without it, one that ships is taken by the corpus's own name
    for it. Raises RecipeError or CorpusError for a named bank that cannot be read, UserError for another bank.
    """
    manifest = next(iter(parts.values())).manifest
    name = _bank_name(manifest)
    facts = Facts(manifest, manifest_digest(manifest), name, _bank(manifest, bank), SIGNER in manifest.engines)
    voices = {voice.voice_id: voice for voice in facts.bank.voices} if facts.bank else {}
    rates: dict[str, tuple[str, int, float]] = {}
    for part, corpus in parts.items():
        counts = facts.parts.setdefault(part, PartFacts())
        for dialogue in filter(is_written, corpus.dialogues(audio=False)):
            counts.dialogues += 1
            counts.turns += len(dialogue.turns)
            counts.seconds += _add_dialogue(facts, dialogue, voices)
            _add_rate(rates, dialogue)
    facts.error_rates = {name: (metric, rows, total / rows) for name, (metric, rows, total) in sorted(rates.items())}
    used = {voice for counter in facts.voices.values() for voice in counter}
    facts.voice_licenses = Counter(_voice_license(voices.get(voice)) for voice in used)
    return facts


def _add_dialogue(facts: Facts, dialogue: Dialogue, voices: Mapping[str, Voice]) -> float:
    """Count the dialogue; return its seconds of audio."""
    facts.languages[dialogue.language] += 1
    facts.turns_of[len(dialogue.turns)] += 1
    license = public_text(dialogue.source.license or UNKNOWN)
    facts.datasets.setdefault(public_text(dialogue.source.dataset), Counter())[license] += 1
    sides = [("user", dialogue.user_voice), ("agent", dialogue.agent_voice)]
    if dialogue.background_voice is not None:
        sides.append((BACKGROUND, dialogue.background_voice))
    for role, voice in sides:
        name = voice or UNKNOWN
        facts.voices.setdefault(role, Counter())[name] += 1
        facts.genders.setdefault(role, Counter())[voices[name].gender if name in voices else UNKNOWN] += 1
    total = 0.0
    for turn in dialogue.turns:
        facts.kinds[turn.kind] += 1
        if turn.take is None or turn.take.audio is None:
            continue
        audio, mark = turn.take.audio, turn.take.watermark
        facts.codecs[audio.codec] += 1
        facts.sample_rates[audio.sample_rate] += 1
        role = BACKGROUND if turn.kind == BACKGROUND else turn.role
        facts.role_seconds[role] = facts.role_seconds.get(role, 0.0) + audio.duration_s
        facts.kind_seconds[turn.kind] = facts.kind_seconds.get(turn.kind, 0.0) + audio.duration_s
        total += audio.duration_s
        if mark is not None:
            facts.marks[mark.method] += 1
            facts.lowest_mark = mark.score if facts.lowest_mark is None else min(facts.lowest_mark, mark.score)
    facts.seconds[dialogue.language] = facts.seconds.get(dialogue.language, 0.0) + total
    return total


def _add_rate(rates: dict[str, tuple[str, int, float]], dialogue: Dialogue) -> None:
    for metric, rate in (("CER", dialogue.cer), ("WER", dialogue.wer)):
        if rate is not None:
            _, rows, total = rates.get(dialogue.language, (metric, 0, 0.0))
            rates[dialogue.language] = metric, rows + 1, total + rate


def _bank_name(manifest: Manifest) -> str:
    stages = manifest.recipe.settings.get("stages")
    cast = stages.get("cast") if isinstance(stages, Mapping) else None
    name = cast.get("bank") if isinstance(cast, Mapping) else None
    return public_text(name) if isinstance(name, str) else UNKNOWN


def _bank(manifest: Manifest, named: str | None) -> Bank | None:
    """Load the bank, if it is the very one that the corpus was made with.

    A corpus may come from a stranger: by its own word, only a bank that ships is loaded.
    """
    name, digest = _bank_name(manifest), manifest.engines.get("voices")
    if named is not None:
        bank = load_bank(named)
        if bank.digest != digest:
            raise UserError(f"--bank: the corpus was made with other voices than those of {bank.name}")
        return bank
    try:
        shipped = load_bank(name) if name in shipped_banks() else None
    except ParleyError:
        return None
    return shipped if shipped is not None and shipped.digest == digest else None


def _voice_license(voice: Voice | None) -> str:
    return UNKNOWN if voice is None or voice.license is None else public_text(voice.license)


def _leaves(value: Any, path: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif value not in ({}, [], ()):
        yield ".".join(path), value
