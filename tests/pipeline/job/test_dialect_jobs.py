"""Whole small jobs in English and Chinese, each against a strict server of its dialect."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.corpus import Corpus
from manifests.errors import EngineUnavailable
from manifests.storage import open_place
from manifests.validate import validate
from parley.testing.stages import take_of
from pipeline.job import run as running
from pipeline.job.directory import CHECKED, WORK
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.recipe import Recipe
from tests.servers.dialect_jobs import served_recipe, voices_for, write_voices
from tests.servers.dialect_rules import RULES
from tests.servers.strict_speech import StrictSpeech
from voicebank.bank import load_bank

ROWS = [
    {"instruction": "What is the capital of Peru?", "output": "It is Lima."},
    {"instruction": "Name a red fruit that grows here.", "output": "A cherry is red and grows here."},
    {"instruction": "天空为什么是蓝色的？", "output": "因为空气把蓝光散射到各个方向。"},
    {"instruction": "今天应该吃什么水果？", "output": "你可以吃一个苹果或者梨子。"},
]
QWEN3 = "vllm-omni-qwen3-tts-base"
SOME = ("vllm-omni-zonos2", QWEN3)
TESTED = [name if name in SOME else pytest.param(name, marks=pytest.mark.slow) for name in sorted(RULES)]


def run(recipe: Recipe, tmp_path: Path) -> Path:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    job = Job(recipe, 0, open_inputs([str(rows)], format="alpaca"), IngestOptions())
    out = tmp_path / "corpus"
    running.run_job(job, open_place(out), LocalRunner(), Listener())
    return out


def bank_for(dialect: str, tmp_path: Path) -> Path:
    """As the dialect takes voices: Qwen3-TTS by embeddings as its encoder gives them, not of length 1."""
    raw = dialect == QWEN3
    return write_voices(tmp_path / "bank", voices_for(dialect, length=17.0 if raw else 1.0), raw)


@pytest.mark.parametrize("dialect", TESTED)
def test_a_job_in_two_languages(dialect: str, tmp_path: Path) -> None:
    with StrictSpeech(dialect) as server:
        corpus = run(served_recipe(server, dialect, bank_for(dialect, tmp_path)), tmp_path)
        checked = len(server.speeches) - 2 * len(ROWS)
    assert validate(open_place(corpus), deep=True, beside=(WORK,)).ok
    kept = list(Corpus(corpus))
    assert Counter(row.language for row in kept) == {"en": 2, "zh": 2}
    assert all(turn.hypothesis == turn.text for row in kept for turn in row.turns)
    assert 2 <= checked <= 8, "what the check asked for, and not a clip more"
    assert list(json.loads((corpus / WORK / CHECKED).read_text())) == ["mouth"]
    written = {body.get("language", body.get("lang_code")) for body in server.speeches[-2 * len(ROWS) :]}
    assert len(written) == (2 if "language" in _fields(dialect) else 1)


def _fields(dialect: str) -> Any:
    from pipeline.engines.tts._dialects.dialect import load_dialect

    return load_dialect(dialect).fields


def test_every_voice_is_sent_as_its_own_embedding(tmp_path: Path) -> None:
    bank = bank_for(QWEN3, tmp_path)
    with StrictSpeech(QWEN3) as server:
        kept = list(Corpus(run(served_recipe(server, QWEN3, bank), tmp_path)))
    asked = {body["input"]: body for body in server.speeches}
    voices = {voice.voice_id: voice for voice in load_bank(str(bank)).voices}
    for turn in (turn for row in kept for turn in row.turns):
        body = asked[turn.text or ""]
        np.testing.assert_allclose(body["speaker_embedding"], voices[take_of(turn).voice_id].embedding, rtol=1e-6)
        assert np.linalg.norm(body["speaker_embedding"]) == pytest.approx(17, abs=1e-3)
        assert body["task_type"] == "Base" and not {"voice", "ref_audio"} & body.keys()


@pytest.mark.parametrize(
    "ignored",
    ["seed", *(pytest.param(thing, marks=pytest.mark.slow) for thing in ("voice", "language"))],
)
def test_a_server_that_ignores_something_stops_the_job_before_the_first_row(ignored: str, tmp_path: Path) -> None:
    dialect = "vllm-omni-zonos2"
    sentence = f"the server of mouth ignores {ignored} "
    with StrictSpeech(dialect, ignores={ignored}) as server, pytest.raises(EngineUnavailable, match=sentence):
        run(served_recipe(server, dialect, bank_for(dialect, tmp_path)), tmp_path)
    texts = {turn for row in ROWS for turn in (row["instruction"], row["output"])}
    assert not texts & {body["input"] for body in server.speeches}
    assert not list((tmp_path / "corpus" / WORK).glob("take-*"))


def test_word_times_lie_on_the_words_of_the_delivered_clip(tmp_path: Path) -> None:
    """The server's times are of its own clip; `render` trims and pads it."""
    dialect = QWEN3
    with StrictSpeech(dialect, word_times=True) as server:
        recipe = served_recipe(
            server,
            dialect,
            bank_for(dialect, tmp_path),
            "languages=[en]",
            "render.edge_silence_ms=200",
            "models.mouth.serving.check=false",
            model="aligned-1.7B",
            send_word_times=True,
        )
        corpus = run(recipe, tmp_path)
    turns = [turn for row in Corpus(corpus) for turn in row.turns]
    assert len(turns) == 4
    for turn in turns:
        take = take_of(turn)
        assert take.word_times is not None and take.audio is not None
        words = take.word_times.words
        assert [word.text for word in words] == (turn.text or "").split()
        starts = [word.start_sample or 0 for word in words]
        assert starts == sorted(starts) and abs(starts[0] - 3200) < 80, "the first word follows the silence"
        assert abs(take.audio.num_samples - 3200 - (words[-1].end_sample or 0)) < 2 * 960
