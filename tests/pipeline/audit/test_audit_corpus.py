"""The whole audit on small corpora of tones: a sound one passes, and each kind of wrong is found."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from manifests.corpus import Corpus
from manifests.errors import CorpusError, EngineUnavailable, RecipeError, UserError
from manifests.manifest import load_manifest
from manifests.reasons import Reason
from manifests.schema import Dialogue, Turn, Watermark
from manifests.storage import Place, open_place
from parley.testing.corpora import make_corpus, make_rows
from parley.testing.stages import take_of, with_take
from pipeline.audit import audit as auditing
from pipeline.audit.attacks import ATTACKS
from pipeline.audit.audit import Audit, audit_corpus
from pipeline.audit.corpus_view import draw, open_view
from pipeline.audit.html import as_html
from pipeline.audit.text import as_json, as_text
from pipeline.engines.contract import Clip, Detection, Failure
from pipeline.seeds import derive_seed
from pipeline.stages.watermark import WatermarkSettings
from tests.pipeline.audit.audited import Change, first_kept, rewrite, tones, without_mark
from tests.spreading import Backwards, backwards

SAMPLE = 8


@pytest.fixture(autouse=True, scope="module")
def quick_parts() -> Iterator[None]:
    """Attacks and controls are tried in tests of their own; here they would only take time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auditing, "ATTACKS", ATTACKS[:2])
        patch.setattr(auditing, "resynthesize", lambda clip: tones(len(clip.samples) / clip.sample_rate))
        yield


@pytest.fixture(scope="module")
def audited(finished: Path) -> Audit:
    return audit_corpus(open_place(finished))


def test_a_sound_corpus_passes(audited: Audit) -> None:
    assert audited.passed and audited.structure.total == 0
    assert audited.marks and audited.speech and audited.survival and audited.speakers
    assert {status: marks.detected.share for status, marks in audited.marks.statuses.items()} == {"kept": 1.0}
    assert audited.speech.same_hypothesis.share == audited.speech.passing.share == 1.0
    assert audited.survival.attacks[0].at_1_percent and audited.survival.attacks[0].at_1_percent.share == 1.0


def test_without_a_sample_every_clip_is_examined(finished: Path, audited: Audit) -> None:
    clips = sum(turn.audio is not None for dialogue in Corpus(finished) for turn in dialogue.turns)
    sampled = audit_corpus(open_place(finished), sample=SAMPLE)
    assert audited.marks and sampled.marks
    assert (audited.marks.every_clip, audited.marks.statuses["kept"].clips) == (True, clips)
    assert (sampled.marks.every_clip, sampled.marks.statuses["kept"].clips) == (False, SAMPLE)


def _text(turn: Turn) -> Turn:
    return replace(turn, text="Something else altogether is said here")


def _hypothesis(turn: Turn) -> Turn:
    return with_take(turn, hearing=replace(take_of(turn).hearing, hypothesis="heard otherwise"))  # type: ignore[type-var]


def _score(turn: Turn) -> Turn:
    return with_take(turn, watermark=Watermark("tone-mark", None, 0.7))


def _unmarked_in_row(turn: Turn) -> Turn:
    return with_take(turn, watermark=None)


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        (first_kept(without_mark), ["watermark: 1 kept clips without the corpus's mark"]),
        (first_kept(_unmarked_in_row), ["structure: 1 problems"]),
        (first_kept(_text), ["speech: 1 of 15 kept rows would not pass again"]),
        (first_kept(_hypothesis), []),
        (first_kept(_score), []),
    ],
    ids=["mark removed", "no mark in the row", "another text", "another hypothesis", "another score"],
)
def test_what_fails_a_corpus(finished: Path, tmp_path: Path, change: Change, failures: list[str]) -> None:
    found = audit_corpus(rewrite(finished, tmp_path / "changed", change))
    assert list(found.failures) == failures
    assert found.passed == (not failures)


def _rejected(dialogue: Dialogue) -> Dialogue:
    return replace(dialogue, status="rejected", reason="error_rate") if dialogue.status == "kept" else dialogue


def test_a_corpus_in_which_nothing_can_be_measured_fails(finished: Path, tmp_path: Path) -> None:
    found = audit_corpus(rewrite(finished, tmp_path / "changed", _rejected))
    assert list(found.failures) == [
        f"{part}: nothing could be measured" for part in ("watermark", "survival", "speech")
    ]
    assert "nothing could be measured" in as_text(found)


class Deaf:
    """A watermarker that fails on every clip without a mark of its own."""

    name, version, bits = "deaf", "1", 0

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [Failure(Reason.WATERMARK_FAILED) for _ in clips]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [Failure(Reason.WATERMARK_FAILED) for _ in clips]


def test_recordings_that_cannot_be_measured_are_no_clean_ones(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "one.wav", tones().samples, 16_000)
    monkeypatch.setattr("pipeline.audit.detect.watermarker", lambda view: Deaf())
    found = audit_corpus(open_place(finished), sample=SAMPLE, controls=str(tmp_path))
    assert found.false_alarms and (found.false_alarms.unmeasured, found.false_alarms.at_recipe.total) == (1, 0)
    assert {"survival: nothing could be measured", "false alarms: nothing could be measured"} <= set(found.failures)


def test_false_alarms_are_counted_in_all_recordings_and_the_mark_is_forged_on_them(
    finished: Path, tmp_path: Path
) -> None:
    for number in range(SAMPLE + 3):
        soundfile.write(tmp_path / f"{number}.wav", tones(seed=number).samples, 16_000)
    found = audit_corpus(open_place(finished), sample=SAMPLE, controls=str(tmp_path))
    assert found.passed, "forgery is told, and is no fault of the corpus"
    assert found.false_alarms and found.survival and found.survival.control_clips == SAMPLE
    assert (found.false_alarms.recordings, found.false_alarms.at_recipe.hits) == (SAMPLE + 3, 0)
    assert (found.false_alarms.shown, found.false_alarms.needed) == (False, 36_887)
    assert [(line.forgery, line.detected.hits) for line in found.forgery][:1] == [("embedded", SAMPLE)]
    text, data = as_text(found), json.loads(as_json(found))
    assert "0 = 0.0000 % (0.0000-28.4914)" in text and "no (needs 36,887 without a false alarm)" in text
    assert "Forged clips carry the mark" in text
    assert data["false_alarms"]["at_recipe"]["total"] == SAMPLE + 3
    assert [line["forgery"] for line in data["forgery"]] == ["embedded", "copied", "estimated"]


def test_without_recordings_no_false_alarm_rate_is_stated(audited: Audit) -> None:
    assert audited.false_alarms is None and len(audited.forgery) == 3
    assert "false alarms, in recordings" not in as_text(audited)


def test_a_clip_without_its_mark_is_named(finished: Path, tmp_path: Path) -> None:
    found = audit_corpus(rewrite(finished, tmp_path / "changed", first_kept(without_mark)))
    assert found.marks
    (mark,) = found.marks.problems
    assert (mark.dialogue_id, mark.turn) == (Corpus(finished)[0].dialogue_id, 0)
    assert mark.score < 0.5 < (mark.recorded or 0)
    assert found.marks.statuses["kept"].differing == 1


def test_recorded_scores_are_compared_with_measured_scores(finished: Path, tmp_path: Path) -> None:
    place = rewrite(finished, tmp_path / "a", first_kept(lambda turn: _hypothesis(_score(turn))))
    found = audit_corpus(place)
    assert found.marks and found.speech
    assert found.marks.statuses["kept"].differing == 1
    assert found.marks.statuses["kept"].largest_difference == pytest.approx(0.3, abs=0.02)
    rate = found.speech.same_hypothesis
    assert (rate.total - rate.hits, found.speech.same_rate.share) == (1, 1.0)


def test_what_was_misheard_is_shown_word_for_word(finished: Path, tmp_path: Path) -> None:
    found = audit_corpus(rewrite(finished, tmp_path / "changed", first_kept(_text)), sample=1000)
    assert found.speech
    (row,) = found.speech.dropped
    (misheard,) = row.turns
    assert (misheard.turn, misheard.reason) == (0, "error_rate")
    assert misheard.score and misheard.score.reference == "some thing else altogether is said here"
    text, page, data = as_text(found), as_html(found), json.loads(as_json(found))
    head = f"{row.dialogue_id} turn 0: error_rate\nmeant  "
    for shown in (text, page):
        meant = shown[shown.index(head) + len(head) :].splitlines()[0].replace("*", " ").split()
        assert meant == ["some", "thing", "else", "altogether", "is", "said", "here"]
    assert f"<pre>{head}" in page
    assert data["speech"]["dropped"][0]["turns"][0]["score"]["alignment"][0].keys() == {"kind", "meant", "heard"}


def _swap_agent(dialogue: Dialogue) -> Dialogue:
    if dialogue.status != "kept" or dialogue.language != "zh":
        return dialogue
    return replace(dialogue, agent_voice="a-stranger")


def test_strangers_among_the_agents_are_named(finished: Path, tmp_path: Path, audited: Audit) -> None:
    assert audited.speakers
    assert [check.exact for check in audited.speakers.agents if check.language == "en"] == [True]
    found = audit_corpus(rewrite(finished, tmp_path / "changed", _swap_agent), sample=SAMPLE).speakers
    assert found
    (check,) = [check for check in found.agents if check.language == "zh"]
    assert (check.used, check.unexpected, check.exact) == (("a-stranger",), ("a-stranger",), False)
    assert found.misspoken == 1


def test_damaged_bytes_are_found_and_nothing_else_is_measured_on_them(finished: Path, tmp_path: Path) -> None:
    place = rewrite(finished, tmp_path / "private" / "changed", lambda dialogue: dialogue)
    shard = tmp_path / "private" / "changed" / "shards" / "kept-00000.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 0xFF
    shard.write_bytes(data)
    found = audit_corpus(place)
    assert not found.passed and found.marks is None
    assert any("sha256" in problem for problem in found.structure.problems)
    assert "private" not in as_json(found) + as_text(found) + as_html(found)


def stages_of(corpus: Path) -> dict[str, Any]:
    """The stages of the recipe in its manifest, by name."""
    return dict(load_manifest(open_place(corpus)).recipe.settings["stages"])


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"watermark": {"engine": "nowhere"}}, RecipeError, "nowhere"),
        ({"gate": {"surprise": 1}}, CorpusError, "cannot read its recipe"),
    ],
    ids=["unknown engine", "unknown key"],
)
def test_recipes_that_cannot_be_followed(
    finished: Path, tmp_path: Path, settings: Mapping[str, Any], error: type[Exception], said: str
) -> None:
    stages = {"stages": stages_of(finished) | settings}
    place = rewrite(finished, tmp_path / "changed", lambda dialogue: dialogue, stages)
    with pytest.raises(error, match=said):
        source = open_view(place)
        source.engines["watermark", source.recipe.section(WatermarkSettings).engine]


def test_a_recipe_that_is_not_the_one_of_its_digest_is_a_problem(finished: Path, tmp_path: Path) -> None:
    block = {"block_rows": 5}
    found = audit_corpus(rewrite(finished, tmp_path / "changed", lambda dialogue: dialogue, block))
    assert found.structure.problems == ("manifest.json: the recipe is not the one of its digest",)


MODELS = {"models": {"heard": {"engine": "whisper", "model": "checkpoint-of-ours"}}}


def test_a_missing_checkpoint_says_how_to_name_it(finished: Path, tmp_path: Path) -> None:
    place = rewrite(finished, tmp_path / "changed", lambda dialogue: dialogue, MODELS)
    source = open_view(place, ["models.heard.model=/no/such/checkpoint"], trust_recipe=True)
    with pytest.raises(EngineUnavailable, match=r"--set models\.heard\.KEY=PATH"):
        source.engines["asr", "heard"]


SPY = "http://127.0.0.1:{port}/v1"


def hostile(finished: Path, directory: Path, port: int) -> Place:
    """A corpus whose recipe wants its clips and a key sent to a server, and a bank from anywhere."""
    serving = {"base_url": SPY.format(port=port), "api_key_env": "HOME"}
    stages = stages_of(finished) | {"transcribe": {"engine": {"*": "spy"}}, "cast": {"bank": "s3://somewhere/bank"}}
    models = {"spy": {"engine": "openai-transcription", "model": "m", "serving": serving}}
    return rewrite(finished, directory, lambda dialogue: dialogue, {"models": models, "stages": stages})


def test_a_corpus_chooses_no_server_no_key_and_no_bank(finished: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        place = hostile(finished, tmp_path / "changed", server.getsockname()[1])
        view = open_view(place)
        with pytest.raises(UserError, match=r"a corpus must not choose what runs here: trust it .* --trust-recipe"):
            view.engines["asr", "spy"]
        assert view.bank is None
        trusted = open_view(place, trust_recipe=True).recipe.models["spy"]
        assert SPY.format(port=server.getsockname()[1]) not in trusted.model_dump_json() and "HOME" not in str(trusted)
        own = open_view(place, ["models.spy={engine: openai-transcription, model: mine}"])
        assert own.untrusted == frozenset() and own.recipe.models["spy"].model_dump()["model"] == "mine"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(("clips", "rows"), [(1, 1), (2, 1), (3, 2), (8, 4), (1000, 15)])
def test_the_sample_is_of_whole_dialogues(finished: Path, clips: int, rows: int) -> None:
    corpus = Corpus(finished)
    drawn = draw(corpus, clips, seed=0)
    assert len(drawn) == rows and drawn == sorted(set(drawn)) == draw(corpus, clips, seed=0)


def test_shards_audited_elsewhere_in_another_order_give_the_same_report(
    audited: Audit, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.spread.SPREAD_BYTES", 0)
    workers = Backwards()
    assert as_json(audit_corpus(open_place(finished), mapper=workers)) == as_json(audited)
    assert workers.items > 4


@pytest.mark.parametrize("clips", [1, 5, 6, 39, 100])
def test_the_sample_of_many_shards_is_that_of_all_rows(tmp_path: Path, clips: int) -> None:
    corpus = Corpus(make_corpus(tmp_path, make_rows(20, 0, 0), max_rows=3))
    ranks = sorted((derive_seed(5, "audit", row.dialogue_id), number) for number, row in enumerate(corpus))
    wanted = sorted(number for _, number in ranks[: -(-clips // 2)])  # each row has two clips
    assert draw(corpus, clips, 5) == draw(corpus, clips, 5, backwards) == wanted


def test_seeds_draw_other_samples(finished: Path) -> None:
    assert len({tuple(draw(Corpus(finished), 6, seed)) for seed in range(10)}) > 3


def test_reports_say_the_same_and_carry_nothing_that_runs(audited: Audit) -> None:
    evil = replace(audited, corpus="<script>alert(1)</script>")
    page, data = as_html(evil), json.loads(as_json(evil))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert page.count("data:image/png;base64,") == 2
    assert "http://" not in page and "https://" not in page
    assert data["marks"]["statuses"]["kept"]["detected"]["share"] == 1.0
    assert "passed: <script>" in as_text(evil)


def test_reports_of_two_runs_are_the_same_bytes(finished: Path) -> None:
    first, second = (audit_corpus(open_place(finished), sample=SAMPLE, seed=3) for _ in range(2))
    assert as_json(first) == as_json(second) and as_html(first) == as_html(second)
