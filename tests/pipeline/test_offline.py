"""The true offline engines, end to end: text in, speech that a recognizer understands and a watermark out."""

import json
from pathlib import Path

import numpy as np
import pytest

from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.schema import Dialogue
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import take_of
from pipeline.engines.contract import Clip, Detection
from pipeline.engines.watermark.perth import PerthWatermarker
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.run import run_job
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.job.runner.tasks import Runner
from pipeline.recipes.load import load_recipe
from tests.pipeline.tone_job import files_of

pytestmark = pytest.mark.offline

ROWS = [
    {
        "instruction": "Why do we sleep at night?",
        "output": "The body rests and repairs itself while we sleep. The brain sorts what happened that day.",
    },
    {
        "instruction": "Tell me how to keep a kitchen knife sharp.",
        "output": "Use a wooden cutting board, and wash the knife by hand. Sharpen it on a stone every few weeks.",
    },
    {
        "instruction": "What is the name of the largest ocean on earth?",
        "output": "The largest ocean on earth is the Pacific Ocean.",
    },
    {"instruction": "Write a function that sorts a list in Python.", "output": "def f(x): return sorted(x)"},
    {"instruction": "为什么晚上要睡觉？", "output": "睡觉的时候身体可以休息，大脑也会整理白天的记忆。"},
]


def run_offline(rows: list[dict[str, str]], out: Path, runner: Runner, *overrides: str) -> None:
    source = out.with_suffix(".json")
    source.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    job = Job(load_recipe("ke-speechchat-offline", overrides), 0, open_inputs([str(source)]), IngestOptions())
    run_job(job, open_place(out), runner, Listener())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("offline") / "corpus"
    run_offline(ROWS, out, LocalRunner())
    return out


def rows_of(corpus: Path, status: str) -> list[Dialogue]:
    return list(Corpus(corpus, status=status))


def test_the_corpus_is_sound_and_whole(corpus: Path) -> None:
    assert validate(open_place(corpus), deep=True, beside=("work",)).ok
    assert sum(len(rows_of(corpus, status)) for status in ("kept", "rejected", "failed")) == len(ROWS)


def test_what_cannot_be_spoken_is_rejected_before_it_costs_anything(corpus: Path) -> None:
    (row,) = [d for d in rows_of(corpus, "rejected") if d.source.row == "3"]
    assert row.reason == "code"
    assert all(turn.audio is None for turn in row.turns)


def test_chinese_is_spoken_and_marked_but_never_kept_unheard(corpus: Path) -> None:
    (row,) = rows_of(corpus, "failed")
    assert (row.language, row.reason) == ("zh", "no_recognizer")
    assert all(turn.audio and turn.audio.duration_s > 1 and take_of(turn).watermark for turn in row.turns)
    assert all(turn.hypothesis is None and turn.score is None for turn in row.turns)


def test_some_english_is_kept_and_was_really_understood(corpus: Path) -> None:
    kept = rows_of(corpus, "kept")
    assert kept, "the recognizer understood none of three simple dialogues"
    for dialogue in kept:
        assert dialogue.wer is not None and dialogue.wer <= 0.10
        for turn in dialogue.turns:
            spoken, heard = set((turn.text or "").lower().split()), set((turn.hypothesis or "").split())
            assert len(spoken & heard) > len(spoken) / 2
        assert [take_of(turn).voice_id for turn in dialogue.turns] == [dialogue.user_voice, dialogue.agent_voice]


def test_the_clips_sound_like_speech_at_the_level_of_the_recipe(corpus: Path) -> None:
    for dialogue in rows_of(corpus, "kept"):
        for turn in dialogue.turns:
            assert turn.audio is not None
            samples, rate = decode(turn.audio)
            assert rate == 16_000
            assert 0.5 < float(np.abs(samples).max()) <= 1.0
            spectrum = np.abs(np.fft.rfft(samples)) ** 2
            frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
            voice = spectrum[(frequencies > 80) & (frequencies < 4000)].sum()
            assert voice > 0.8 * spectrum.sum(), "the energy of speech lies between 80 Hz and 4 kHz"


def test_the_mark_is_in_the_delivered_files_and_not_in_unmarked_speech(corpus: Path) -> None:
    detector = PerthWatermarker()
    clips = [Clip(*decode(t.audio)) for d in rows_of(corpus, "kept") for t in d.turns if t.audio]
    found = detector.detect(clips)
    assert all(isinstance(one, Detection) and one.score >= 0.8 for one in found)


@pytest.mark.slow
def test_the_same_corpus_from_any_number_of_workers(corpus: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        out = tmp_path / f"ray-{workers}" / "corpus"
        out.parent.mkdir()
        run_offline(ROWS, out, RayRunner(), "block_rows=2", f"pools.speech.workers={workers}")
        assert files_of(out) == files_of(tmp_path / "ray-1" / "corpus")
    by_id = {d.dialogue_id: d.turns for d in rows_of(tmp_path / "ray-2" / "corpus", "kept")}
    assert by_id == {d.dialogue_id: d.turns for d in rows_of(corpus, "kept")}
