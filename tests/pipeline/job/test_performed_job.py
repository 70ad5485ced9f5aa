"""Whole small jobs that have dialogues spoken in one call and cut into turns, against strict servers."""

import json
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import RecipeError
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import take_of
from pipeline.engines.registry import ENGINES
from pipeline.job import run as running
from pipeline.job.directory import WORK
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.recipe import Recipe
from tests.doubles import double
from tests.pipeline.tone_job import StopAfter, files_of
from tests.servers.flite_dialogue import FliteDialogue, flite_bank
from tests.servers.strict_dialogue import StrictDialogue, at_first, performing_recipe, recorded_bank, script_of

MOSS, VIBE = "vllm-omni-moss-ttsd", "vllm-omni-vibevoice"
ROWS = [
    {"instruction": "What is the capital of Peru?", "output": "It is Lima."},
    {"instruction": "Name a red fruit that grows here.", "output": "A cherry is red and grows here."},
    {"instruction": "天空为什么是蓝色的？", "output": "因为空气把蓝光散射到各个方向。"},
]
SERVER = "tests.servers.strict_dialogue"


@pytest.fixture(autouse=True)
def _doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, name, factory in (("aligner", "tone-aligner", "ToneAligner"), ("encoder", "pitch", "PitchEncoder")):
        monkeypatch.setitem(ENGINES.added, (kind, name), double(kind, name, SERVER, factory))


def run(recipe: Recipe, tmp_path: Path, out: str = "corpus", listener: Listener | None = None) -> Path:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    job = Job(recipe, 0, open_inputs([str(rows)], format="alpaca"), IngestOptions())
    running.run_job(job, open_place(tmp_path / out), LocalRunner(), listener or Listener())
    return tmp_path / out


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    return recorded_bank(tmp_path / "bank")


@pytest.mark.parametrize("dialect", [MOSS, VIBE])
def test_dialogues_are_spoken_in_one_call_and_cut_into_turns(dialect: str, tmp_path: Path, bank: Path) -> None:
    with StrictDialogue(dialect) as server:
        corpus = run(performing_recipe(server.url, dialect, bank), tmp_path)
        asked = server.performances
    assert validate(open_place(corpus), deep=True, beside=(WORK,)).ok
    kept = list(Corpus(corpus))
    assert len(kept) == len(asked) == len(ROWS), "a dialogue is one request"
    assert all(turn.hypothesis == turn.text for row in kept for turn in row.turns), "each cut is where it should be"
    assert all((take_of(turn).speaker_similarity or 0) > 0.9 for row in kept for turn in row.turns)
    said = {tuple(text for _, text in script_of(body["input"])) for body in asked}
    assert said == {tuple(turn.text for turn in row.turns) for row in kept}
    assert {"seed" in body for body in asked} == {dialect == MOSS}


@pytest.mark.parametrize("fault", ["swaps", "slips"])
def test_one_turn_at_fault_means_that_the_whole_dialogue_is_spoken_again(
    fault: str, tmp_path: Path, bank: Path
) -> None:
    with StrictDialogue(MOSS, **{fault: at_first}) as server:
        kept = list(Corpus(run(performing_recipe(server.url, MOSS, bank), tmp_path)))
        seeds = [body["seed"] for body in server.performances]
    assert len(kept) == len(ROWS) and len(set(seeds)) == 2 * len(ROWS)
    for row in kept:
        assert [[take.number for take in turn.attempts] for turn in row.turns] == [[1, 2], [1, 2]]
        question, answer = ([take.reason for take in turn.attempts] for turn in row.turns)
        assert question == [None, None], "it was good the first time too, and is of the second performance now"
        assert answer[1] is None and answer[0] == ("wrong_speaker" if fault == "swaps" else answer[0]) is not None


def test_who_always_mixes_up_the_voices_ends_with_that_reason(tmp_path: Path, bank: Path) -> None:
    def is_chinese(body: dict[str, object], before: int) -> bool:
        return "蓝" in str(body["input"])

    with StrictDialogue(VIBE, swaps=is_chinese) as server:
        corpus = run(performing_recipe(server.url, VIBE, bank), tmp_path)
    (dropped,) = Corpus(corpus, status="rejected")
    assert (dropped.language, dropped.reason) == ("zh", "wrong_speaker")
    assert [len(turn.attempts) for turn in dropped.turns] == [2, 2]
    assert len(Corpus(corpus)) == 2


def test_a_job_that_was_stopped_goes_on_to_the_same_bytes(tmp_path: Path, bank: Path) -> None:
    def recipe(url: str) -> Recipe:
        return performing_recipe(url, MOSS, bank)

    with StrictDialogue(MOSS, swaps=at_first) as server:
        whole = files_of(run(recipe(server.url), tmp_path, "whole"))
    with StrictDialogue(MOSS, swaps=at_first) as server:
        with pytest.raises(KeyboardInterrupt):
            run(recipe(server.url), tmp_path, "stopped", StopAfter(1))
        assert files_of(run(recipe(server.url), tmp_path, "stopped")) == whole
    assert len(whole) > 3


REFUSED: list[tuple[str, str]] = [
    ("synthesize.engine=tone", "leave out the stage synthesize"),
    ("gate.ladder=[{rate: 0.8}]", "dialogue engines have no speed"),
    ("perform.aligner={en: tone-aligner}", "names no aligner for zh"),
    ("models.duo.dialect=kokoro-fastapi", "has no script for whole dialogues"),
    ("cast.bank=tone", "has no voice for openai-dialogue"),
]


@pytest.mark.parametrize(("override", "sentence"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(
    override: str, sentence: str, tmp_path: Path, bank: Path
) -> None:
    with pytest.raises(RecipeError, match=sentence):
        run(performing_recipe("http://127.0.0.1:9/v1", MOSS, bank, override), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_engines_cut_and_tell_apart_speech_on_both_runners(tmp_path: Path) -> None:
    """flite speaks behind the server, PocketSphinx finds the turns, Resemblyzer tells who says them."""
    pytest.importorskip("resemblyzer")
    pytest.importorskip("pocketsphinx")
    bank = flite_bank(tmp_path / "bank")
    ears = "transcribe={engine: pocketsphinx}", "gate={wer_limit: 0.9, ladder: [{}]}", "languages=[en]"
    engines = "perform={engine: duo, aligner: pocketsphinx, speaker: resemblyzer}"
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(SPOKEN), encoding="utf-8")
    found = {}
    for name, runner in (("local", LocalRunner()), ("ray", RayRunner())):
        with FliteDialogue(MOSS, bank, swaps=at_first) as server:
            recipe = performing_recipe(server.url, MOSS, bank, engines, *ears)
            job = Job(recipe, 0, open_inputs([str(rows)], format="alpaca"), IngestOptions())
            running.run_job(job, open_place(tmp_path / name), runner, Listener())
        found[name] = files_of(tmp_path / name)
    assert found["local"] == found["ray"]
    kept = list(Corpus(tmp_path / "local"))
    assert len(kept) == len(SPOKEN)
    reasons = [[take.reason for take in turn.attempts] for row in kept for turn in row.turns]
    assert reasons == [[None, None], ["wrong_speaker", None]] * len(SPOKEN)
    for row in kept:
        print([(turn.text, turn.hypothesis, round(take_of(turn).speaker_similarity or 0, 3)) for turn in row.turns])


SPOKEN = [
    {"instruction": "Which river flows through the old city?", "output": "The river flows from the north to the sea."},
    {
        "instruction": "Why does the sky turn red in the evening?",
        "output": "Because the light takes a longer way then.",
    },
]
