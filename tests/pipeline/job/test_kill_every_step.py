"""kill -9 at every step of the storage. Each job then goes on, and ends as an undisturbed one."""

import json
import shutil
from pathlib import Path

import pytest

from manifests.storage import open_place
from manifests.validate import validate
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.recipe import Pool
from pipeline.tokens.make import make_token_set
from pipeline.tokens.work import TokenOrder
from tests.killed import problems_of
from tests.pipeline.bank.bank_corpora import build, people, register_doubles, write_corpus
from tests.pipeline.bank.bank_corpora import files_of as bank_files
from tests.pipeline.tone_job import files_of, make_job, run_tone

pytestmark = pytest.mark.slow

MIXED = (
    "arrange={profile: salm}",
    "mix={mono: true, noise: {made: [pink], snr_db: [15, 25]}, telephone: {share: 0.5, lines: [mu-law]}}",
    "tokenize.engine=tone",
    "gate.ladder=[{}]",
    "block_rows=1",
)
"""On the telephone no chord is whole: those rows are spoken and mixed in a second pass."""


def test_a_corpus(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file, limit=9)

    def make(out: Path) -> None:
        run_tone(job, out)
        assert validate(open_place(out), deep=True, beside=("work",)).ok

    make(tmp_path / "whole")
    assert not problems_of(make, files_of(tmp_path / "whole"), files_of, tmp_path)


def test_a_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register_doubles(monkeypatch)
    corpus = write_corpus(tmp_path / "corpus", people(3))

    def make(out: Path) -> None:
        build(corpus, out / "bank", block_clips=8)

    make(tmp_path / "whole")
    whole = bank_files(tmp_path / "whole" / "bank")
    assert not problems_of(make, whole, lambda out: bank_files(out / "bank"), tmp_path)


def test_a_mixed_corpus_with_tokens(tmp_path: Path) -> None:
    rows = [{"instruction": f"Name the city {i}.", "output": f"It is {i}."} for i in range(2)]
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    job = make_job(str(tmp_path / "rows.json"), *MIXED)

    def make(out: Path) -> None:
        run_tone(job, out)
        assert validate(open_place(out), deep=True, beside=("work",)).ok

    make(tmp_path / "whole")
    whole = files_of(tmp_path / "whole")
    assert any("track-mono" in name for name in whole) and (tmp_path / "whole/work/take-2").exists()
    assert not problems_of(make, whole, files_of, tmp_path)


def test_a_token_set(input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manifests.shards.ROW_GROUP_ROWS", 4)
    corpus = tmp_path / "corpus"
    run_tone(make_job(input_file, limit=9), corpus)
    shutil.rmtree(corpus / "work")
    order = TokenOrder("tone", {}, "turns", "both", Pool(stages=("tokenizer",)))

    def make(out: Path) -> None:
        if not out.exists():
            shutil.copytree(corpus, out)
        make_token_set(open_place(out), "side", order, LocalRunner(), Listener())
        assert validate(open_place(out), deep=True).problems == ()

    make(tmp_path / "whole")
    assert not problems_of(make, files_of(tmp_path / "whole"), files_of, tmp_path)
