"""The commands that choose rows of a corpus, from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from manifests.corpus import Corpus
from pipeline.cli.main import cli
from tests.pipeline.views.corpora import made_corpus, made_row, question

USERS = [f"tone-user-en-{gender}-{n}" for gender in ("female", "male") for n in range(3)]


def parley(*words, code=0):
    result = CliRunner().invoke(cli, ["corpus", *map(str, words)], catch_exceptions=True)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output if not result.exception else f"{result.output}{result.exception}"


@pytest.fixture
def where(tmp_path):
    rows = [made_row(n, USERS[n % 6]) for n in range(60)]
    return made_corpus(tmp_path / "corpus", rows).path


def test_subsets(where):
    text = parley("subsets", where, "--sizes", "XS=10%,L=all")
    assert "view subsets, each part within the next" in text and "6 user, 1 agent" in text
    assert "genders of the voices: the voice bank tone" in text
    assert len(Corpus(where, subset="L")) == 60


def test_sizes_that_the_corpus_does_not_have(where):
    assert "M=100h is more than there is" in parley("subsets", where, "--sizes", "M=100h", code=1)


def test_splits_and_the_list_of_views(where):
    words = ("--validation", "17%", "--test", "17%", "--ignore", "parents")
    text = parley("splits", where, *words)
    assert "kept apart by source, duplicates, voice; ignored: parents; 6 groups" in text
    parley("splits", where, "--validation", "0", "--test", "17%", "--part", "dev=17%", "--ignore", "parents")
    listed = json.loads(parley("views", where, "--json"))
    assert list(listed["splits"]["parts"]) == ["dev", "test", "train"]
    assert "view splits" in parley("views", where)


def test_no_views_yet(where):
    assert "no views" in parley("views", where)


def test_a_view_that_a_stranger_wrote(where):
    parley("subsets", where, "--sizes", "L=all")
    file = Path(where, "views", "subsets.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "about": {"parts": {"L": 7}}}))
    assert "does not say what its parts hold" in parley("views", where, code=1)


def test_licenses(where, tmp_path):
    text = parley("licenses", where, "--for", "research", "--out", tmp_path / "report")
    assert "research use: allowed 60" in text and "view research" in text
    assert json.loads((tmp_path / "report" / "licenses.json").read_text())["rows"] == 60
    assert (tmp_path / "report" / "licenses.parquet").is_file()
    assert json.loads(parley("licenses", where, "--json"))["uses"]["commercial"]["verdicts"]["allowed"]["rows"] == 60


def test_decontaminate(where, tmp_path):
    (tmp_path / "bench.jsonl").write_text(json.dumps({"prompt": question(3)}) + "\n")
    words = ("--against", tmp_path / "bench.jsonl", "--field", "prompt", "--drop", "clean", "--out", tmp_path / "r")
    text = parley("decontaminate", where, *words)
    assert "1 of 60 rows stand in the lists (1 texts" in text and "view clean" in text
    assert json.loads((tmp_path / "r" / "contamination.json").read_text())["hit_rows"] == 1
    assert len(Corpus(where, view="clean")) == 59


def test_pii(where, tmp_path):
    assert "0 of 60 rows hold personal data" in parley("pii", where, "--out", tmp_path / "r", "--drop", "safe")
    assert json.loads((tmp_path / "r" / "pii.json").read_text())["kinds"] == {}


@pytest.mark.parametrize("command", ["licenses", "pii"])
def test_no_report_is_written_into_the_corpus(where, command):
    assert "--out is inside the corpus" in parley(command, where, "--out", f"{where}/report", code=1)


@pytest.mark.parametrize("runner", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_export_of_a_part(where, tmp_path, runner):
    parley("subsets", where, "--sizes", "S=50%")
    out = parley("export", where, "--to", "hf", "--subset", "S", "--out", tmp_path / "hf", "--runner", runner)
    assert f"written {len(Corpus(where, subset='S'))}" in " ".join(out.split())
