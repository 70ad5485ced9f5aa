"""Counting marks and messages, with a watermarker whose every answer is told beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from manifests.corpus import Corpus
from manifests.errors import CorpusError
from manifests.reasons import Reason
from manifests.storage import open_place
from pipeline.audio.samples import encode
from pipeline.audit.attacks import ATTACKS, Attack
from pipeline.audit.corpus_view import CorpusView, batches, open_view
from pipeline.audit.detect import MarkScore, delivered
from pipeline.audit.survival import add_controls, add_marked, new_table, survival
from pipeline.audit.watermarks import MarkAudit
from pipeline.engines.contract import Clip, Detection, Failure
from pipeline.engines.watermark._message import bit_errors
from pipeline.stages.watermark import WatermarkSettings
from tests.mixed import make_mixed, with_track
from tests.pipeline.audit.audited import tones


@dataclass
class Told:
    """A watermarker of 16 bits that answers what it was told, the last answer again and again."""

    answers: list[Detection | Failure]
    name: str = "told"
    version: str = "1"
    bits: int = 16
    portions: list[int] = field(default_factory=list)

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        raise AssertionError("an audit marks nothing")

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        self.portions.append(len(clips))
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] for _ in clips]


def told(finished: Path, *answers: Detection | Failure) -> CorpusView:
    source = open_view(open_place(finished))
    source.engines["watermark", source.recipe.section(WatermarkSettings).engine] = Told(list(answers))
    return source


def flipped(message: str, bits: int) -> str:
    """Flip the last bits of the message."""
    return f"{int(message, 16) ^ ((1 << bits) - 1):04x}"


# Two wrong bits are allowed by default; the mark's score must reach 0.5.
CASES = [
    ("sound", 0.9, 0, 1, 0, None),
    ("two wrong bits", 0.9, 2, 1, 0, None),
    ("three wrong bits", 0.9, 3, 1, 1, "the mark's message is not the corpus's"),
    ("all bits wrong", 0.9, 16, 1, 1, "the mark's message is not the corpus's"),
    ("at the threshold", 0.5, 0, 1, 0, None),
    ("below the threshold", 0.499, 0, 0, 0, "no mark in the delivered bytes"),
]


@pytest.mark.parametrize(
    ("score", "wrong", "detected", "foreign", "problem"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_wrong_with_a_clip(
    finished: Path, score: float, wrong: int, detected: int, foreign: int, problem: str | None
) -> None:
    dialogue = Corpus(finished)[0]
    own = (dialogue.recipe or "")[:4]
    source = told(finished, Detection(score, flipped(own, wrong)), Detection(0.9, own))
    audit = MarkAudit(source, threshold_1_percent=0.6)
    audit.add("kept", [dialogue])
    found = audit.result(every_clip=True)
    kept = found.statuses["kept"]
    assert (kept.clips, kept.detected.hits, kept.foreign) == (2, 1 + detected, foreign)
    assert kept.detected_at_1_percent and kept.detected_at_1_percent.hits == 1 + (score >= 0.6)
    assert [mark.problem for mark in found.problems] == ([problem] if problem else [])
    assert found.failing == len(found.problems)


@pytest.mark.parametrize("answer", [Detection(0.1), Failure(Reason.WATERMARK_FAILED)], ids=["no mark", "no answer"])
def test_only_kept_clips_fail_a_corpus(finished: Path, answer: Detection | Failure) -> None:
    audit = MarkAudit(told(finished, answer), None)
    for status in ("rejected", "kept"):
        audit.add(status, [Corpus(finished)[0]])
    found = audit.result(every_clip=True)
    assert {status: marks.detected.hits for status, marks in found.statuses.items()} == {"rejected": 0, "kept": 0}
    assert found.failing == 2
    assert found.statuses["kept"].detected_at_1_percent is None


def test_the_sample_is_decoded_a_few_dialogues_at_a_time(finished: Path) -> None:
    corpus = Corpus(finished)
    sizes = [len(some) for some in batches(corpus, range(len(corpus)))]
    assert sum(sizes) == len(corpus) and max(sizes) <= 16
    assert [d.dialogue_id for some in batches(corpus, [1, 4]) for d in some] == [
        corpus[1].dialogue_id,
        corpus[4].dialogue_id,
    ]


def test_a_row_whose_recipe_is_not_a_digest_is_a_corpus_error(finished: Path) -> None:
    source = told(finished, Detection(0.9, "0000"))
    with pytest.raises(CorpusError, match="is not a digest"):
        delivered([replace(Corpus(finished)[0], recipe="not hex")], source)


def _half(clip: Clip) -> Clip:
    return Clip(clip.samples * 0.5, clip.sample_rate)


def _only_long(clip: Clip) -> Clip | None:
    return clip if len(clip.samples) > 16_000 else None


def _peaks(clips: Sequence[Clip]) -> list[MarkScore]:
    """A detector whose score is the clip's peak, and whose message is always 00ff."""
    return [MarkScore(float(abs(clip.samples).max()), "00ff") for clip in clips]


def test_survival_counts_each_attack_for_itself() -> None:
    attacks = [ATTACKS[0], Attack("half", "", _half), Attack("long", "", _only_long)]
    loud = [Clip(tones(seconds).samples * 1.8, 16_000) for seconds in (0.9, 2.0, 2.1)]
    quiet = [tones(1.5, seed=seed) for seed in range(2)]
    table = new_table(attacks)
    add_marked(table, [(clip, 0x00FE) for clip in loud], _peaks, 0.7, 16, attacks)
    add_controls(table, quiet, _peaks, attacks)
    none, half, long = survival(table, 0.7, attacks)
    assert (none.at_recipe.hits, half.at_recipe.hits, long.at_recipe.hits) == (3, 0, 2)
    assert (none.at_recipe.total, half.at_recipe.total, long.at_recipe.total) == (3, 3, 2)
    assert none.false_at_recipe.hits == 0 and none.false_at_recipe.total == 2
    # At a threshold of its own, what is only quieter is told from its controls as before.
    assert half.at_1_percent and half.at_1_percent.share == 1.0
    assert half.threshold_1_percent == pytest.approx(0.25)
    assert (none.mean_score, none.mean_control) == pytest.approx((0.9, 0.5))
    # 0x00fe and 0x00ff differ in one bit of 16.
    assert none.bits == pytest.approx(15 / 16)
    assert none.whole_messages and none.whole_messages.hits == 0
    assert half.bits is None and half.whole_messages is None


def test_bits_are_only_counted_where_there_is_a_message() -> None:
    table = new_table(ATTACKS[:1])
    add_marked(table, [(tones(), 0)], _peaks, 0.1, 0, ATTACKS[:1])
    assert survival(table, 0.1, ATTACKS[:1])[0].bits is None
    assert bit_errors(None, 0, 16) == 16


def test_marks_are_looked_for_in_whole_tracks_too(finished: Path) -> None:
    """Two clips are detected after three tracks: the agent's lacks its mark, and the clean one is silent."""
    source = told(finished, Detection(0.9, "0000"), Detection(0.2, "0000"), Detection(0.9, "0000"))
    mixed = replace(make_mixed(), recipe="0" * 64)
    assert mixed.timeline is not None
    silent = replace(mixed.timeline.tracks[2], audio=encode(np.zeros(2_000, np.float32), 16_000, "flac"))
    audit = MarkAudit(source, None)
    audit.add("kept", [with_track(mixed, 2, silent)])
    audit.add("rejected", [mixed])
    found = audit.result(every_clip=True)
    assert {name: (one.clips, one.detected.hits) for name, one in found.tracks.items()} == {
        "user": (1, 1),
        "agent": (1, 0),
    }
    assert [(mark.turn, mark.track, mark.problem) for mark in found.problems] == [
        (None, "agent", "no mark in the delivered bytes")
    ]
    assert (found.statuses["kept"].clips, found.failing) == (2, 1)
