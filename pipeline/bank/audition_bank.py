"""Runs an audition of banks, and writes the bank of the voices that stay."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.bank.audition import BATCH, SENTENCES, Panel, Sentences, audition, owned_record
from pipeline.bank.audition_names import Named, name_voices, stratum
from voicebank.audition import AuditionDrop, AuditionRule, Judged, RealVoices, VoiceClip, judge, measured_leak_limit
from voicebank.bank import VOICES_FILE, load_bank
from voicebank.card import CARD_FILE, read_card, write_card
from voicebank.leak import quantiles
from voicebank.prompts import dataset_prefixes, own_name
from voicebank.speaker_table import SpeakerTable, load_speaker_table
from voicebank.voice import Voice

Progress = Callable[[str, int, int], None]
"""Told what is heard ("real voices", "voices"), how many were, and how many there are."""


@dataclass(frozen=True)
class AuditionOrder:
    """Banks of voices, and of the real speakers that they come from, one for each language.

    `count` voices stay of each language and gender; `agents` says whether the best of each becomes an agent, beyond
    them. Limits of None are measured. `hear`: only this many voices of each bank are heard, None: all; with
    `keep_unheard`, those behind them stay unheard where places are left, tested as vectors alone. The voices of
    the bank `extend` are heard and judged before all others, and keep their names.
    """

    banks: Sequence[Place]
    real: Sequence[Place]
    count: int
    agents: bool
    error_margin: float
    quality_margin: float
    leak: float | None = None
    twin: float | None = None
    hear: int | None = None
    keep_unheard: bool = False
    sentences: Sentences = field(default_factory=lambda: SENTENCES)
    extend: Place | None = None


def hold_audition(order: AuditionOrder, panel: Panel, out: Place, progress: Progress) -> list[Judged]:
    """Hear, judge, and write the bank; the card comes last, and a broken-off audition goes on."""
    _refuse_finished(out)
    with owned_record(out, (VOICES_FILE, CARD_FILE)) as record:
        _refuse_finished(out)  # a moment ago another process may have finished it
        return _hold(order, panel, out, record, progress)


def _refuse_finished(out: Place) -> None:
    if (out / CARD_FILE).exists():
        raise UserError(f"{out.name} holds a voice bank already; remove it, or name another directory")


def _hold(order: AuditionOrder, panel: Panel, out: Place, record: Path, progress: Progress) -> list[Judged]:
    known = _known(order)
    voices = [*known, *(voice for bank in order.banks for voice in _users(bank)[: order.hear])]
    real = _hear_real(order, {voice.engine for voice in voices}, panel, record, progress)
    if strange := sorted({voice.language for voice in voices} - real.keys()):
        raise UserError(f"--real: no bank has speakers of {', '.join(strange)}")
    leak = order.leak if order.leak is not None else measured_leak_limit(real)
    twin = order.twin if order.twin is not None else leak
    rule = AuditionRule(order.count + order.agents, order.error_margin, order.quality_margin, leak, twin)
    judged = _hear_until_full(voices, len(known), real, rule, panel, record, progress, order.sentences)
    fillers = order.hear and order.keep_unheard
    unheard = [voice for bank in order.banks for voice in _users(bank)[order.hear :]] if fillers else []
    prefixes = dataset_prefixes(_sources(order.real))
    named = name_voices(judged, len(known), unheard, order.count, order.agents, prefixes)
    (out / VOICES_FILE).write_text("".join(_line(voice) for voice, _ in named))
    write_card(out, _card(out.name, order, rule, real, judged, named, panel))
    return judged


def _users(bank: Place) -> list[Voice]:
    return [voice for voice in load_bank(str(bank)).voices if not voice.agent]


def _known(order: AuditionOrder) -> list[Voice]:
    """Return all voices of the bank that is extended, with their parents' ids among the real speakers."""
    if order.extend is None:
        return []
    prefixes = dataset_prefixes(_sources(order.real))
    ids = {own_name(name, prefixes): name for bank in order.real for name in load_speaker_table(bank).ids}
    return [
        replace(voice, parents=tuple(ids.get(parent, parent) for parent in voice.parents))
        for voice in load_bank(str(order.extend)).voices
    ]


def _hear_until_full(
    voices: Sequence[Voice],
    known: int,
    real: Mapping[str, RealVoices],
    rule: AuditionRule,
    panel: Panel,
    record: Path,
    progress: Progress,
    sentences: Sentences,
) -> list[Judged]:
    """Hear voices in order, and no more of a language and gender once enough of them stay."""
    clips: list[VoiceClip] = []
    judged: list[Judged] = []
    at = 0
    while at < len(voices):
        kept = Counter(stratum(one.clip.voice) for one in judged if one.drop is None)
        part: list[Voice] = []
        while at < len(voices) and len(part) < BATCH:
            if at < known or kept[stratum(voices[at])] < rule.count:
                part.append(voices[at])
            at += 1
        clips += audition(part, panel, record, sentences=sentences)
        judged = judge(clips, real, rule, known)
        progress("voices", at, len(voices))
    return judged


def _hear_real(
    order: AuditionOrder, engines: set[str], panel: Panel, record: Path, progress: Progress
) -> dict[str, RealVoices]:
    """Let the real voices speak the same sentences."""
    if len(engines) != 1:
        raise UserError(
            f"an audition hears the voices of one synthesizer, not of {', '.join(sorted(engines)) or 'none'}"
        )
    found = {}
    for bank in order.real:
        table = load_speaker_table(bank)
        if len(set(table.languages)) != 1:
            raise UserError(f"--real {bank.name}: an audition needs a bank for each language")
        prefixes = dataset_prefixes(_sources([bank]))
        voices = [_real_voice(table, row, prefixes, next(iter(engines))) for row in range(len(table))]
        tell = partial(progress, "real voices")
        clips = audition(voices, panel, record, tell, order.sentences)
        found[table.languages[0]] = RealVoices(table, dict(zip(table.ids, clips, strict=True)))
    return found


def _sources(banks: Sequence[Place]) -> list[dict[str, Any]]:
    """Return the sources of the banks, each once."""
    found: list[dict[str, Any]] = []
    for bank in banks:
        found += [source for source in read_card(bank).get("sources", []) if source not in found]
    return found


def _real_voice(table: SpeakerTable, row: int, prefixes: Sequence[str], engine: str) -> Voice:
    """Return a speaker as the synthesizer's own voice of that name."""
    name = own_name(table.ids[row], prefixes)
    return Voice(name.replace("_", "-").lower(), engine, name, table.languages[row], table.genders[row])


def _line(voice: Voice) -> str:
    """Write a voice without what is not known of it."""
    if voice.embedding is not None or voice.is_recorded:
        raise UserError("an audition writes banks of names and weights: these voices have embeddings or recordings")
    return (
        json.dumps({key: value for key, value in asdict(voice).items() if value is not None}, ensure_ascii=False)
        + "\n"
    )


def _card(
    name: str,
    order: AuditionOrder,
    rule: AuditionRule,
    real: Mapping[str, RealVoices],
    judged: Sequence[Judged],
    named: Sequence[Named],
    panel: Panel,
) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = {}
    for voice, _ in named:
        counts.setdefault(voice.language, Counter())["agent" if voice.agent else voice.gender] += 1
    dropped = Counter(one.drop.value for one in judged if one.drop)
    heard = [(voice.voice_id, figures) for voice, figures in named if figures is not None]
    return {
        "name": name,
        "kind": "voices",
        "description": "Voices of nobody: weighted averages of a synthesizer's own voices, each of them heard",
        "sources": _sources(order.real),
        "parents": {language: len(voices.speakers) for language, voices in sorted(real.items())},
        "counts": {language: dict(sorted(count.items())) for language, count in sorted(counts.items())},
        "engines": panel.versions,
        "limits": {
            "leak": rule.leak,
            "twin": rule.twin,
            "error_margin": rule.error_margin,
            "quality_margin": rule.quality_margin,
        },
        "heard": len(judged),
        "unheard": sum(figures is None for _, figures in named),
        "dropped": dict(sorted(dropped.items())),
        "real_voices": {language: _figures(voices) for language, voices in sorted(real.items())},
        "nearest_real": quantiles([one.nearest_real for _, one in heard if one.nearest_real is not None]),
        "nearest_voice": quantiles([one.nearest_earlier for _, one in heard if one.nearest_earlier is not None]),
        "measured": {voice_id: _measured(one, panel.scale) for voice_id, one in heard},
    }


def _figures(voices: RealVoices) -> dict[str, Any]:
    clips = voices.clips.values()
    return {
        "own_similarity": quantiles(voices.own_similarities()),
        "error_rate": quantiles([clip.error_rate for clip in clips if clip.error_rate is not None]),
        "quality": quantiles([clip.quality for clip in clips if clip.quality is not None]),
    }


def _measured(one: Judged, scale: str) -> dict[str, Any]:
    return {
        "error_rate": round(one.clip.error_rate or 0.0, 4),
        scale: round(one.clip.quality or 0.0, 3),
        "nearest_real": [one.nearest_id, round(one.nearest_real or 0.0, 4)],
    }


def drop_counts(judged: Sequence[Judged]) -> list[tuple[int, str]]:
    """Return how many voices were dropped for each reason, with the reason in words."""
    counts = Counter(one.drop for one in judged)
    return [(counts[drop], f"{drop.value}: {drop.meaning}") for drop in AuditionDrop if counts[drop]]
