"""Corpora for the report: rows of every kind, in two languages, spoken again, misheard, and full of markup."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from manifests.manifest import load_manifest, write_manifest
from manifests.schema import AlignmentChunk, Dialogue, FinalStatus, Hearing, Metric, Quality, Score, Step, Take, Turn
from manifests.storage import Place
from parley.testing import make_audio, make_corpus, make_failed, make_kept, tone_recipe
from parley.testing.corpora import make_score, without_bytes
from pipeline.scoring.rates import pooled
from tests.pipeline.show.tags import NASTY

MARKUP = f'"><img src=x onerror="document.title=1">{NASTY}</script><script>document.title=2</script>'
WORDS = "please tell me how the small river finds its way to the wide sea in spring".split()
CHARACTERS = "天空为什么是蓝色的因为空气把光散射到各个方向"
STEPS = tuple(Step(name, "tone", "1", None, 1) for name in ("rewrite", "screen", "cast", "synthesize", "gate"))


def heard(meant: str, errors: int, metric: Metric) -> Hearing:
    """A hearing in which the first `errors` words or characters are others."""
    parts = meant.split() if metric == "wer" else list(meant)
    gap = " " if metric == "wer" else ""
    wrong = ["quux" if metric == "wer" else "口"] * errors
    chunks = [
        AlignmentChunk("substitute", gap.join(parts[:errors]), gap.join(wrong)),
        AlignmentChunk("equal", gap.join(parts[errors:]), gap.join(parts[errors:])),
    ]
    score = make_score(*(chunk for chunk in chunks if chunk.meant), metric=metric)
    return Hearing("echo 1", gap.join([*wrong, *parts[errors:]]), score)


def spoken(turn: Turn, text: str, errors: tuple[int, ...], metric: Metric, voice: str, reason: str | None) -> Turn:
    """The turn with a take for each number of errors; only the last may be accepted."""
    takes = []
    for number, wrong in enumerate(errors, start=1):
        last = number == len(errors)
        takes.append(
            Take(
                number=number,
                voice_id=voice,
                seed=number,
                rate=1.0,
                audio=make_audio(number, 1600 * len(text.split() if metric == "wer" else text)),
                hearing=heard(text, wrong, metric),
                quality=Quality(loudness_lufs=-23.0 - number, peak_dbfs=-3.0, dnsmos_ovrl=3.1),
                reason=(reason if last else "error_rate") if wrong or reason else None,
            )
        )
    return replace(turn, text=text, take=takes[-1], attempts=tuple(map(without_bytes, takes)))  # type: ignore[arg-type]


def row(
    number: int,
    user: tuple[int, ...] = (0,),
    agent: tuple[int, ...] = (0,),
    language: str = "en",
    status: FinalStatus = "kept",
    reason: str | None = None,
    **changes: object,
) -> Dialogue:
    """A dialogue whose turns were spoken with so many errors in each take."""
    metric: Metric = "cer" if language == "zh" else "wer"
    chance = random.Random(number)
    base = make_kept(number)
    turns = []
    for turn, errors in zip(base.turns, (user, agent), strict=True):
        source = CHARACTERS if metric == "cer" else WORDS
        text = ("" if metric == "cer" else " ").join(chance.choices(source, k=20))
        voice = f"{language}-{turn.role}-{number % 5}"
        turns.append(spoken(turn, text, errors, metric, voice, reason if errors[-1] else None))
    scores = [score for turn in turns if (score := turn.score)]
    rate = pooled(scores)
    found = replace(base, language=language, turns=tuple(turns), status=status, reason=reason, provenance=STEPS)
    rated = replace(found, cer=rate if metric == "cer" else None, wer=rate if metric == "wer" else None)
    return replace(rated, detail="turn 0" if reason else None, **changes)  # type: ignore[arg-type]


def rows() -> list[Dialogue]:
    """Rows of every kind; the tone recipe's limits are those of the paper, 10 % of words and 5 % of characters."""
    return [
        row(0),
        row(1, user=(2,)),  # 2 of 40 words: 5 %
        row(2, user=(6, 1), agent=(0,)),
        row(3, language="zh"),
        row(4, user=(3,), agent=(1,)),  # 4 of 40: 10 %, at the limit, and so borderline
        row(5, user=(5,), status="rejected", reason="error_rate"),  # 12.5 %
        row(6, user=(9, 12), status="rejected", reason="error_rate"),  # 30 %
        row(7, user=(3,), language="zh", status="rejected", reason="error_rate"),  # 7.5 %
        row(8, user=(1,), status="rejected", reason="hallucination_loop"),
        replace(make_failed(9), provenance=STEPS[:3]),
        with_markup(row(10)),
    ]


def with_markup(dialogue: Dialogue) -> Dialogue:
    """The row with markup in every text that a stranger may choose."""
    turn = replace(dialogue.turns[0], text=MARKUP, original_text=MARKUP + "!", material=MARKUP)
    score = Score("wer", 1.0, 1, 1, 0.0, "n", (AlignmentChunk("substitute", MARKUP, MARKUP + "?"),))
    take = replace(turn.take, voice_id=MARKUP, reason=MARKUP, hearing=Hearing(MARKUP, MARKUP, score))  # type: ignore[type-var]
    source = replace(dialogue.source, dataset=MARKUP, row=MARKUP)
    turns = (replace(turn, take=take, attempts=()), *dialogue.turns[1:])
    changes = {"dialogue_id": MARKUP, "language": MARKUP, "detail": MARKUP, "reason": "error_rate"}
    return replace(dialogue, turns=turns, source=source, status="rejected", **changes)  # type: ignore[arg-type]


def many(count: int) -> Iterator[Dialogue]:
    """Rows of the same kinds, many of them, with short clips."""
    for number in range(count):
        if number % 10 == 9:
            yield row(number, user=(number % 7 + 5,), status="rejected", reason="error_rate")
        else:
            yield row(number, user=(number % 3,), language="zh" if number % 4 == 0 and number % 3 == 0 else "en")


def reported(where: Path, dialogues: list[Dialogue] | Iterator[Dialogue] | None = None, name: str = "tone") -> Place:
    """Write a corpus of the rows, made by the tone recipe."""
    ordered = sorted(dialogues or rows(), key=lambda one: ("kept", "rejected", "failed").index(one.status))
    place = make_corpus(where, ordered, max_rows=5000)
    manifest = load_manifest(place)
    settings = json.loads(json.dumps(tone_recipe().content()))
    write_manifest(place, replace(manifest, recipe=replace(manifest.recipe, name=name, settings=settings)))
    return place
