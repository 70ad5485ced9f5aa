"""Makes virtual voices: weighted averages of real speakers of one gender, language and speaking rate.

The x-vectors are averaged for the leak test, and with the same weights the synthesis embeddings, on which a
synthesizer is conditioned. `docs/virtual-voices.md` tells the whole story.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place
from voicebank.balance import Slot, check_languages, find_strata, plan
from voicebank.blend_card import VoiceGroup, blend_card, leak_figures
from voicebank.blend_options import BlendOptions, rule_of
from voicebank.card import CARD_FILE, read_card, write_card
from voicebank.leak import Values
from voicebank.selection import DrawCounts, Picked, Rule, select
from voicebank.speaker_table import Matrix, SpeakerTable, load_speaker_table
from voicebank.tables import VoiceWriter
from voicebank.voice import ANY_LANGUAGE, Voice

LEAK_FILE = "leak.json"

_GROUP = 4096
_SHOWN = 2000


@dataclass(frozen=True)
class BlendResult:
    """The numbers of voices made, and the figures of leak.json.

    `speakable` is False where the bank has no synthesis embeddings: no synthesizer can speak with its voices.
    """

    users: int
    agents: int
    leak: Mapping[str, Any]
    speakable: bool


@dataclass(frozen=True)
class Blended:
    """Voices that were blended and written, for a report.

    `card` and `leak` are what card.json and leak.json hold, `counts` the voices by group. `to_real` [N] has each
    voice's similarity to the nearest of the real speakers `speakers`, `shown` [M, Dx] the x-vectors of the first
    voices.
    """

    card: Mapping[str, Any]
    leak: Mapping[str, Any]
    counts: Counter[VoiceGroup]
    to_real: Values
    shown: Matrix
    speakers: SpeakerTable


@dataclass
class _Record:
    """What is kept of all voices: a few numbers each, and the x-vectors of the first ones [M, Dx]."""

    to_real: list[Values] = field(default_factory=list)
    to_parents: list[Values] = field(default_factory=list)
    to_earlier: list[Values] = field(default_factory=list)
    shown: list[Values] = field(default_factory=list)
    parent_is_nearest: int = 0

    def add(self, picked: Picked) -> None:
        self.to_real.append(picked.to_real)
        self.to_parents.append(picked.to_parents)
        self.to_earlier.append(picked.to_earlier)
        self.parent_is_nearest += int((picked.parents == picked.nearest_row[:, None]).any(axis=1).sum())
        if (left := _SHOWN - sum(map(len, self.shown))) > 0:
            self.shown.append(picked.xvectors[:left])


def blend(
    bank: Place, out: Place, options: BlendOptions, report: Callable[[Blended], None] = lambda blended: None
) -> BlendResult:
    """Blend the speakers of `bank` into a bank of voices in `out`; the card is written last, after the `report`.

    UserError for options that cannot be met; where the speakers give too few voices, it says how many they give.
    """
    if (out / CARD_FILE).exists():
        raise UserError(f"{out.name} holds a voice bank already; remove it, or name another directory")
    speakers, card = load_speaker_table(bank), read_card(bank)
    rule, slots = rule_of(card, options), slots_of(speakers, options)
    tally, record, counts = DrawCounts(), _Record(), Counter[VoiceGroup]()
    with VoiceWriter(out, speakers.raw) as writer:
        for voices, xvectors in _regroup(_voices(speakers, slots, rule, options, tally, record)):
            counts.update(map(_group_of, voices))
            writer.write(voices, xvectors)
    leak = leak_figures(speakers, rule, tally, record.to_real, record.to_parents, record.to_earlier)
    leak["nearest_real_is_parent"] = record.parent_is_nearest
    made = blend_card(out.name, card, speakers, rule, options, counts, leak)
    _write_leak(out, leak)
    report(Blended(made, leak, counts, np.concatenate(record.to_real), np.concatenate(record.shown), speakers))
    write_card(out, made)
    return BlendResult(options.count, options.agents, leak, speakers.embeddings is not None)


def slots_of(speakers: SpeakerTable, options: BlendOptions) -> list[Slot]:
    """The places to fill, agents first. UserError where the speakers cannot be paired as asked."""
    strata = find_strata(speakers, options.parents)
    if not strata:
        raise UserError(
            f"none of the {len(speakers)} speakers shares gender, language and rate bucket with "
            f"{options.parents - 1} other{'s' if options.parents > 2 else ''}"
        )
    check_languages(strata, options.languages)
    return list(
        islice(plan(strata, options.balance, options.languages, options.agents), options.count + options.agents)
    )


def _write_leak(out: Place, leak: Mapping[str, Any]) -> None:
    (out / LEAK_FILE).write_text(json.dumps(leak, indent=2, sort_keys=True, allow_nan=False) + "\n")


def _voices(
    speakers: SpeakerTable,
    slots: Sequence[Slot],
    rule: Rule,
    options: BlendOptions,
    tally: DrawCounts,
    record: _Record,
) -> Iterator[tuple[Voice, Values]]:
    strata = find_strata(speakers, options.parents)
    users = 0
    for picked in select(speakers, strata, slots, rule, tally):
        record.add(picked)
        for index, slot in enumerate(picked.slots):
            users += not slot.agent
            name = f"agent-{strata[slot.stratum].gender}" if slot.agent else f"voice-{users:06d}"
            yield _voice(name, speakers, picked, index, options.engine), picked.xvectors[index]


def _voice(name: str, speakers: SpeakerTable, picked: Picked, index: int, engine: str) -> Voice:
    rows, agent = picked.parents[index], picked.slots[index].agent
    return Voice(
        voice_id=name,
        engine=engine,
        speaker=name,
        language=ANY_LANGUAGE if agent else speakers.languages[rows[0]],
        gender=speakers.genders[rows[0]],
        agent=agent,
        license=_license([speakers.licenses[row] for row in rows]),
        parents=tuple(speakers.ids[row] for row in rows),
        weights=tuple(float(weight) for weight in picked.weights[index]),
        ms_per_character=int(speakers.buckets[rows[0]]),
        embedding=None if picked.embeddings is None else picked.embeddings[index],
    )


def _license(licenses: Sequence[str | None]) -> str | None:
    """Join the licenses of all parents' recordings; None where one of them is unknown."""
    known = sorted({license for license in licenses if license is not None})
    return " AND ".join(known) if None not in licenses else None


def _regroup(voices: Iterator[tuple[Voice, Values]]) -> Iterator[tuple[list[Voice], list[Values]]]:
    """Yield groups of equal size, so that the file does not show the blocks in which voices were found."""
    while group := list(islice(voices, _GROUP)):
        yield [voice for voice, _ in group], [np.array(xvector) for _, xvector in group]


def _group_of(voice: Voice) -> VoiceGroup:
    return VoiceGroup(voice.agent, voice.language, voice.gender, voice.ms_per_character or 0)
