"""Making a token set: the same as in the rows, however often it is broken off, and never for another corpus."""

import json
import shutil
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import RecipeError, ResumeRefused, UserError
from manifests.storage import open_place
from manifests.token_sets import TokenSet
from manifests.validate import validate
from parley.testing.corpora import make_corpus, make_rejected
from pipeline.cli import tokens as commands
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from pipeline.recipe import Pool
from pipeline.tokens.make import make_token_set
from pipeline.tokens.work import TokenOrder
from tests.pipeline.tone_job import Closing, Count, StopAfter, make_job, run_tone


@pytest.fixture(scope="module")
def corpus(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus whose rows have tokens, in two shards of small row groups."""
    out = tmp_path_factory.mktemp("tokens") / "corpus"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("manifests.shards.ROW_GROUP_ROWS", 4)
        run_tone(make_job(input_file, "tokenize.engine=tone"), out)
    shutil.rmtree(out / "work")
    return out


@pytest.fixture
def copy(corpus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corpus, tmp_path / "copy"))


def order(**changes: str) -> TokenOrder:
    values = {"engine": "tone", "of": "turns", "role": "both", **changes}
    return TokenOrder(models={}, pool=Pool(stages=("tokenizer",)), **values)  # type: ignore[arg-type]


def make(place: Path, name: str = "side", listener: Listener | None = None, **changes: str) -> TokenSet:
    return make_token_set(open_place(str(place)), name, order(**changes), LocalRunner(), listener or Listener())


def files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_set_says_what_the_rows_say(copy: Path) -> None:
    before = files(copy)
    made = make(copy)
    rows, joined = list(Corpus(copy)), Corpus(copy, tokens="side")
    assert list(joined) == rows and any(turn.take and turn.take.tokens for row in rows for turn in row.turns)
    assert (made.rows, made.clips, made.without) == (len(rows), sum(len(row.turns) for row in rows), {})
    assert {name: data for name, data in files(copy).items() if not name.startswith("tokens/")} == before
    assert validate(open_place(str(copy)), deep=True).ok
    assert make(copy) == made, "the same command finds it finished"


def test_a_killed_command_continues_and_gives_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(copy, tmp_path / "whole"))
    make(whole)
    with pytest.raises(KeyboardInterrupt):
        make(copy, listener=StopAfter(2))
    assert not (copy / "tokens/side.json").exists()
    report = validate(open_place(str(copy)))
    assert [problem.where for problem in report.problems] == ["tokens/side"]
    with pytest.raises(ResumeRefused, match="changed: role"):
        make(copy, role="agent")
    damaged = copy / "tokens/side/work/coded/000000.parquet"
    damaged.write_bytes(b"spoilt")
    counting = Count()
    make(copy, listener=counting)
    assert 1 not in counting.blocks and 0 in counting.blocks, "what is done and sound is not done again"
    assert files(copy / "tokens") == files(whole / "tokens")


def test_another_corpus_and_other_settings_are_refused(copy: Path) -> None:
    make(copy, of="turns", role="agent")
    assert [len(turn.take.tokens) for turn in Corpus(copy, tokens="side")[0].turns if turn.take] == [1, 1]
    with pytest.raises(ResumeRefused, match=r"made otherwise; changed: role\. Take another --name"):
        make(copy)
    with pytest.raises(UserError, match=r"cannot be named '\.\./up'"):
        make(copy, "../up")
    empty = make_corpus(copy.parent / "empty", [make_rejected(1)])
    with pytest.raises(UserError, match="has no kept row to tokenize"):
        make(Path(empty.path))


def test_the_commands(copy: Path) -> None:
    runner = Closing()
    text = commands.tokenize(str(copy), [], "tone", None, "turns", "agent", 0, 0.0, runner)
    assert "token set       tone" in text and "tone@1" in text and runner.closed
    assert json.loads(commands.list_sets(str(copy), True))["tone"]["about"]["role"] == "agent"
    assert commands.list_sets(str(copy), False) == text
    for overrides, engine, says in (
        (["gate.wer_limit=1"], "tone", "here it describes models"),
        (["models.tone={engine: snac, model: x}"], "tone", "tone is the name of an engine"),
        ([], "flite", "no tokenizer engine 'flite'; there are: "),
        (["models.mine={engine: hubert, model: x}"], "mine", "centers"),
    ):
        with pytest.raises(RecipeError, match=says):
            commands.tokenize(str(copy), overrides, engine, None, "turns", "agent", 0, 0.0, LocalRunner())
