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
    `keep_unheard`, those behind them stay unheard where places are left, tested as vectors alone.
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
    voices = [voice for bank in order.banks for voice in _users(bank)[: order.hear]]
    real = _hear_real(order, {voice.engine for voice in voices}, panel, record, progress)
    if strange := sorted({voice.language for voice in voices} - real.keys()):
        raise UserError(f"--real: no bank has speakers of {', '.join(strange)}")
    leak = order.leak if order.leak is not None else measured_leak_limit(real)
    twin = order.twin if order.twin is not None else leak
    rule = AuditionRule(order.count + order.agents, order.error_margin, order.quality_margin, leak, twin)
    judged = _hear_until_full(voices, real, rule, panel, record, progress, order.sentences)
    fillers = order.hear and order.keep_unheard
    unheard = [voice for bank in order.banks for voice in _users(bank)[order.hear :]] if fillers else []
    named = _named(judged, order, unheard)
    (out / VOICES_FILE).write_text("".join(_line(voice) for voice, _ in named))
    write_card(out, _card(out.name, order, rule, real, judged, named, panel))
    return judged


def _users(bank: Place) -> list[Voice]:
    return [voice for voice in load_bank(str(bank)).voices if not voice.agent]


def _hear_until_full(
    voices: Sequence[Voice],
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
        kept = Counter(_stratum(one.clip.voice) for one in judged if one.drop is None)
        part: list[Voice] = []
        while at < len(voices) and len(part) < BATCH:
            if kept[_stratum(voices[at])] < rule.count:
                part.append(voices[at])
            at += 1
        clips += audition(part, panel, record, sentences=sentences)
        judged = judge(clips, real, rule)
        progress("voices", at, len(voices))
    return judged


def _stratum(voice: Voice) -> tuple[str, str]:
    return voice.language, voice.gender


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


def _named(
    judged: Sequence[Judged], order: AuditionOrder, unheard: Sequence[Voice]
) -> list[tuple[Voice, Judged | None]]:
    """Give the voices that stay their names: agents, the clearest and then best of each language and gender; the other
    voices that were heard; and unheard ones while places are left."""
    kept = [one for one in judged if one.drop is None]
    chosen: dict[tuple[str, str], Judged] = {}
    for one in kept if order.agents else []:
        key = _stratum(one.clip.voice)
        if key not in chosen or _worth(one) > _worth(chosen[key]):
            chosen[key] = one
    agents = {id(one) for one in chosen.values()}
    others: list[tuple[Voice, Judged | None]] = [(one.clip.voice, one) for one in kept if id(one) not in agents]
    prefixes, numbers = dataset_prefixes(_sources(order.real)), Counter[str]()
    named: list[tuple[Voice, Judged | None]] = [
        (_renamed(one.clip.voice, f"{language}-agent-{gender[0]}", prefixes, agent=True), one)
        for (language, gender), one in sorted(chosen.items())
    ]
    for voice, figures in (*others, *((voice, None) for voice in unheard)):
        stem = f"{voice.language}-{voice.gender[0]}"
        if numbers[stem] < order.count:
            numbers[stem] += 1
            named.append((_renamed(voice, f"{stem}{numbers[stem]:02d}", prefixes), figures))
    return named


def _renamed(voice: Voice, name: str, prefixes: Sequence[str], agent: bool = False) -> Voice:
    parents = tuple(own_name(parent, prefixes) for parent in voice.parents)
    return replace(voice, voice_id=name, speaker=name, agent=agent, parents=parents)


def _worth(one: Judged) -> tuple[float, float]:
    return -(one.clip.error_rate or 0.0), one.clip.quality or 0.0


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
    named: Sequence[tuple[Voice, Judged | None]],
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
