"""Whole builds in this process, with engines that hear chords: who becomes a speaker, who does not, and why."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.errors import (
    EngineDied,
    EngineUnavailable,
    InputError,
    RecipeError,
    ResumeRefused,
    UserError,
)
from manifests.storage import open_place
from pipeline.bank.results import RejectedClips, read_rejects
from tests.pipeline.bank.bank_corpora import Ear, Recording, build, files_of, people, register_doubles, write_corpus
from tests.pipeline.bank.doubles.bank_engines import FAULTY_RATE
from voicebank.tables import read_card, read_speakers


@pytest.fixture(autouse=True)
def _doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    register_doubles(monkeypatch)


def rejects_of(bank: Path) -> list[RejectedClips]:
    return [reject for group in read_rejects(open_place(bank)) for reject in group]


@pytest.mark.parametrize(
    ("recording", "reason", "detail"),
    [
        pytest.param(Recording("x"), None, None, id="one person"),
        pytest.param(Recording("x", (0, 1)), "mixed_speakers", "2 of 6 pairs alike, 4 needed", id="two people"),
        pytest.param(Recording("x", clips=3), "too_few_clips", "3 good clips, 4 needed", id="too few clips"),
        pytest.param(Recording("x", peak=0.3), "too_few_clips", "0 good clips, 4 needed", id="all of bad quality"),
        pytest.param(Recording("x", peak=0.99), "too_few_clips", "0 good clips, 4 needed", id="none can be encoded"),
        pytest.param(Recording("x", text=None), "rate_unknown", "no clip has a text", id="no texts"),
        pytest.param(Recording("x", text="12 - 7"), "rate_unknown", "no clip has a text", id="texts without letters"),
        pytest.param(
            Recording("x", text="abc" * 200),
            "rate_unknown",
            "1.67 ms for each unit: the texts are not what is said",
            id="texts that nobody can say in that time",
        ),
        pytest.param(Recording("x", base_hz=210.0), "gender_unclear", "female with 0.60", id="between the genders"),
        pytest.param(Recording("x", base_hz=210.0, extra={"gender": "male"}), None, None, id="the corpus knows"),
    ],
)
def test_who_becomes_a_speaker(recording: Recording, reason: str | None, detail: str | None, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [Recording("other", (7,)), recording])
    build(corpus, tmp_path / "bank")
    ids = [speaker.speaker_id for speaker in read_speakers(open_place(tmp_path / "bank"))]
    (found,) = [r for r in rejects_of(tmp_path / "bank") if r.clip_id is None] or [None]
    assert ids == (["chords-other", "chords-x"] if reason is None else ["chords-other"])
    assert (found and (found.group, found.reason, found.detail)) == (reason and ("x", reason, detail))


def test_what_is_known_of_a_speaker(tmp_path: Path) -> None:
    build(write_corpus(tmp_path / "corpus", [Recording("x", clips=5)]), tmp_path / "bank")
    (speaker,) = read_speakers(open_place(tmp_path / "bank"))
    assert (speaker.language, speaker.gender, speaker.clips, speaker.license) == ("en", "male", 5, "CC0-1.0")
    assert speaker.gender_confidence == pytest.approx(0.95)
    assert speaker.speech_s == pytest.approx(5 * 1.0, abs=0.01)
    assert (speaker.similar_pairs, speaker.ms_per_character) == (10, 100)
    assert speaker.seconds_per_character == pytest.approx(0.1, abs=0.001)
    assert speaker.quality == pytest.approx(4.0, abs=0.01)
    assert np.linalg.norm(speaker.xvector) == pytest.approx(1)
    assert speaker.embedding is not None
    assert speaker.embedding.tolist() == speaker.xvector.tolist()


def test_clips_without_a_text_do_not_count_for_the_rate(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [Recording("x", clips=5)])
    edit_lines(corpus, lambda line: line | {"text": None} if line["path"] == "x-00.wav" else line)
    build(corpus, tmp_path / "bank")
    (speaker,) = read_speakers(open_place(tmp_path / "bank"))
    assert speaker.ms_per_character == 100


def edit_lines(corpus: Path, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    manifest = corpus / "manifest.jsonl"
    lines = [edit(json.loads(line)) for line in manifest.read_text().splitlines()]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))


def spoil(corpus: Path) -> None:
    """Three files that are no audio, a bad score, a clip that is listed again, and a line that is none."""
    (corpus / "r00-00.wav").unlink()
    (corpus / "r00-01.wav").write_bytes(b"RIFF but no more")
    (corpus / "r00-02.wav").write_bytes((corpus / "r00-02.wav").read_bytes()[:44])
    edit_lines(corpus, lambda line: line | {"quality": 1.5} if line["path"] == "r01-04.wav" else line)
    again = json.dumps({"path": "r00-03.wav", "recording": "r00", "language": "en", "quality": 4.5})
    with (corpus / "manifest.jsonl").open("a") as file:
        file.write(again + "\nno JSON\n")


def test_every_clip_and_group_is_accounted_for(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [*people(4, clips=9), Recording("z", clips=2)])
    spoil(corpus)
    card = build(corpus, tmp_path / "bank")
    speakers, rejects = read_speakers(open_place(tmp_path / "bank")), rejects_of(tmp_path / "bank")
    assert {(r.clip_id, r.reason) for r in rejects if r.group == "r00"} == {
        ("r00-00.wav", "audio_missing"),
        ("r00-01.wav", "audio_unreadable"),
        ("r00-02.wav", "audio_unreadable"),
        ("r00-03.wav", "bad_metadata"),
    }
    assert {(r.clip_id, r.reason, r.detail) for r in rejects if r.group == "r01"} == {
        ("r01-04.wav", "low_quality", "1.50")
    }
    assert card["counts"]["clips"]["reasons"] == {
        "audio_missing": 1,
        "audio_unreadable": 2,
        "bad_metadata": 2,
        "low_quality": 1,
    }
    assert card["counts"]["groups"] == {"listed": 6, "kept": 4, "rejected": 2, "reasons": {"too_few_clips": 2}}
    listed = sum(s.clips for s in speakers) + sum(r.clips for r in rejects)
    assert listed == card["counts"]["clips"]["listed"] == 4 * 9 + 2 + 2


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        pytest.param([{"language": "en"}, {"language": "zh"}], "en and zh", id="two languages"),
        pytest.param([{"gender": "female"}, {"gender": "male"}], "female and male", id="two genders"),
    ],
)
def test_a_group_whose_clips_contradict_each_other(extra: list[dict[str, str]], named: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(2))
    takes = iter(range(99))
    edit_lines(corpus, lambda line: line | (extra[next(takes) % 2] if line["recording"] == "r01" else {}))
    build(corpus, tmp_path / "bank")
    (reject,) = rejects_of(tmp_path / "bank")
    assert reject == RejectedClips("r01", None, 4, "contradictory_metadata", named)


def test_the_papers_own_rule_lets_two_people_pass(tmp_path: Path) -> None:
    """floor(n/2) of all pairs: weak by design, as the docs say."""
    corpus = write_corpus(tmp_path / "corpus", [Recording("x", (0, 1), clips=10)])
    card = build(corpus, tmp_path / "bank", pair_rule={"min_pairs": "floor(n/2)"})
    assert card["counts"]["speakers"] == 1


def test_no_more_clips_than_asked_for(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [Recording("x", clips=12)])
    build(corpus, tmp_path / "bank", groups={"min_clips": 4, "max_clips": 5})
    (speaker,) = read_speakers(open_place(tmp_path / "bank"))
    spared = [r.clip_id for r in rejects_of(tmp_path / "bank") if r.reason == "not_needed"]
    assert (speaker.clips, len(spared)) == (5, 7)
    assert spared != [f"x-{take:02d}.wav" for take in range(5, 12)]


def test_the_corpus_own_scores_and_genders_are_taken(tmp_path: Path) -> None:
    """Engines that would fail at once are not loaded then."""
    known = {"quality": 3.5, "gender": "female"}
    corpus = write_corpus(tmp_path / "corpus", [Recording("x", peak=0.3, extra=known)])
    card = build(corpus, tmp_path / "bank")
    (speaker,) = read_speakers(open_place(tmp_path / "bank"))
    assert (speaker.quality, speaker.gender, speaker.gender_confidence) == (3.5, "female", None)
    assert card["quality"]["predicted"] is False


def test_scores_on_another_scale_do_not_count(tmp_path: Path) -> None:
    extra = {"quality": 5, "quality_scale": "dnsmos_ovrl"}
    corpus = write_corpus(tmp_path / "corpus", [Recording("x", extra=extra), Recording("y", (1,))])
    with pytest.raises(UserError, match="quality_unknown 8"):
        build(corpus, tmp_path / "bank", quality={"engine": None})
    assert {r.reason for r in rejects_of(tmp_path / "bank")} == {"quality_unknown", "too_few_clips"}
    assert not (tmp_path / "bank" / "card.json").exists()


def test_the_card_says_what_the_bank_is(tmp_path: Path) -> None:
    card = build(write_corpus(tmp_path / "corpus", people(3)), tmp_path / "bank")
    assert card == read_card(open_place(tmp_path / "bank"))
    assert (card["name"], card["kind"]) == ("bank", "speakers")
    assert card["sources"] == [{"dataset": "chords", "layout": "manifest", "license": "CC0-1.0"}]
    assert card["encoder"] == {"engine": "bands", "label": "1", "dimension": 64}
    assert card["pair_rule"] == {"threshold": 0.9, "min_pairs": "0.6*pairs", "min_clips": 4}
    assert card["counts"]["by_gender"] == {"female": 1, "male": 2}


def test_no_path_of_the_machine_in_the_bank(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "secret-corpus", people(2))
    build(corpus, tmp_path / "bank")
    for path in (tmp_path / "bank").rglob("*"):
        if path.is_file():
            text = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text()
            assert "secret-corpus" not in text and str(tmp_path) not in text


def test_an_interrupted_build_goes_on_where_it_was(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(9))
    build(corpus, tmp_path / "whole", block_clips=8)
    with pytest.raises(KeyboardInterrupt):
        build(corpus, tmp_path / "bank", Ear(stop_after=2), block_clips=8)
    ear = Ear()
    build(corpus, tmp_path / "bank", ear, block_clips=8)
    assert ear.begun == (36, 16, 4)
    assert ear.blocks == [2, 3, 4]
    (tmp_path / "whole").rename(tmp_path / "w")
    whole, bank = files_of(tmp_path / "w"), files_of(tmp_path / "bank")
    assert whole.pop("card.json").replace(b'"whole"', b'"bank"') == bank.pop("card.json")
    assert whole == bank
    done = Ear()
    build(corpus, tmp_path / "bank", done, block_clips=8)
    assert done.begun is None


@pytest.mark.parametrize("block_clips", [1, 7, 8, 1000])
def test_the_size_of_a_block_changes_no_speaker(block_clips: int, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [*people(5), Recording("two", (1, 2))])
    build(corpus, tmp_path / "a")
    build(corpus, tmp_path / "b", block_clips=block_clips)
    a, b = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    assert a["speakers.parquet"] == b["speakers.parquet"]
    assert a["rejected.parquet"] == b["rejected.parquet"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"pair_rule": {"threshold": 0.8}}, "recipe.pair_rule.threshold", id="threshold"),
        pytest.param({"groups": {"min_clips": 3}}, "recipe.groups.min_clips", id="fewest clips"),
        pytest.param({"quality": {"threshold": 3.0}}, "recipe.quality.threshold", id="quality"),
        pytest.param({"block_clips": 99}, "recipe.block_clips", id="size of a block"),
        pytest.param({"limit_groups": 1}, "options.limit_groups", id="number of groups"),
    ],
)
def test_another_recipe_is_refused_whatever_is_accepted(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(3))
    with pytest.raises(KeyboardInterrupt):
        build(corpus, tmp_path / "bank", Ear(stop_after=1), block_clips=8)
    for accept in (False, True):
        with pytest.raises(ResumeRefused, match=named):
            build(corpus, tmp_path / "bank", accept_changes=accept, **({"block_clips": 8} | change))


def test_other_changes_are_refused_unless_accepted(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(3))
    with pytest.raises(KeyboardInterrupt):
        build(corpus, tmp_path / "bank", Ear(stop_after=1), block_clips=8)
    change = {"block_clips": 8, "gender": {"min_confidence": 0.6}}
    with pytest.raises(ResumeRefused, match=r"recipe\.gender\.min_confidence"):
        build(corpus, tmp_path / "bank", **change)
    assert build(corpus, tmp_path / "bank", accept_changes=True, **change)["counts"]["speakers"] == 3
    with pytest.raises(ResumeRefused, match="finished bank of another job"):
        build(corpus, tmp_path / "bank", block_clips=8)


def test_another_encoder_and_another_corpus_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(3))
    with pytest.raises(KeyboardInterrupt):
        build(corpus, tmp_path / "bank", Ear(stop_after=1), block_clips=8)
    with pytest.raises(ResumeRefused, match=r"inputs\.first_clips_sha256"):
        build(write_corpus(tmp_path / "other", people(4)), tmp_path / "bank", block_clips=8, accept_changes=True)
    monkeypatch.setenv("DOUBLES_VERSION", "2")
    with pytest.raises(ResumeRefused, match=r"engines\.encoder/bands"):
        build(corpus, tmp_path / "bank", block_clips=8, accept_changes=True)


def test_the_first_groups_only(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(6)[::-1])
    card = build(corpus, tmp_path / "bank", limit_groups=2)
    ids = [speaker.speaker_id for speaker in read_speakers(open_place(tmp_path / "bank"))]
    assert ids == ["chords-r00", "chords-r01"]
    assert card["counts"]["groups"]["listed"] == 2


@pytest.mark.parametrize(("faults", "survives"), [(2, True), (99, False)])
def test_a_dying_encoder(faults: int, survives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = write_corpus(tmp_path / "corpus", [*people(2), Recording("three", (3,), rate=FAULTY_RATE)])
    monkeypatch.setenv("FAULT", "die")
    monkeypatch.setenv("FAULTS", str(faults))
    monkeypatch.setenv("FAULT_TALLY", str(tmp_path / "tally"))
    if survives:
        assert build(corpus, tmp_path / "bank")["counts"]["speakers"] == 3
    else:
        with pytest.raises(EngineDied, match="the encoder is gone"):
            build(corpus, tmp_path / "bank")


def test_an_engine_that_cannot_load_is_heard_of_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULT", "unavailable")
    with pytest.raises(EngineUnavailable, match="install it"):
        build(write_corpus(tmp_path / "corpus", people(1)), tmp_path / "bank")


@pytest.mark.parametrize(
    ("error", "words", "prepare", "changes"),
    [
        pytest.param(
            RecipeError, "no encoder engine 'x'", None, {"pair_rule": {"encoder": "x"}}, id="no such encoder"
        ),
        pytest.param(ResumeRefused, "it holds notes.txt", "notes.txt", {}, id="the directory is somebody's"),
        pytest.param(ResumeRefused, "it holds speakers.parquet", "speakers.parquet", {}, id="a bank without its work"),
    ],
)
def test_refused_at_once(
    error: type[Exception], words: str, prepare: str | None, changes: dict[str, Any], tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(1))
    if prepare:
        (tmp_path / "bank").mkdir()
        (tmp_path / "bank" / prepare).write_text("mine")
    with pytest.raises(error, match=words):
        build(corpus, tmp_path / "bank", **changes)


def test_a_corpus_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    with pytest.raises(InputError):
        build(tmp_path / "corpus", tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


def test_a_block_that_was_lost_is_made_again(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", people(3))
    with pytest.raises(KeyboardInterrupt):
        build(corpus, tmp_path / "bank", Ear(stop_after=3), block_clips=4)
    shutil.copytree(tmp_path / "bank", tmp_path / "half")
    build(corpus, tmp_path / "bank", block_clips=4)
    wrong = []
    for name in ("built/000001/speakers.parquet", "built/000001/rejected.parquet", "clips/000002.parquet"):
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(tmp_path / "half", tmp_path / "again" / "bank")
        (tmp_path / "again" / "bank" / "work" / name).unlink()
        build(corpus, tmp_path / "again" / "bank", block_clips=4)
        if files_of(tmp_path / "again" / "bank") != files_of(tmp_path / "bank"):
            wrong.append(name)
    assert not wrong
