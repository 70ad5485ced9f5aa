"""Token sets: joined to the rows as they are read, refused beside another corpus, and checked by validate."""

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from manifests import shards
from manifests.corpus import Corpus
from manifests.errors import CorpusError, UserError
from manifests.manifest import manifest_hash
from manifests.schema import Dialogue, SpeechTokens
from manifests.storage import open_place
from manifests.stream import CorpusStream
from manifests.token_sets import (
    ClipCodes,
    RowCodes,
    TokenSet,
    token_set_names,
    token_shard_path,
    token_table,
    write_token_set,
    write_token_shard,
)
from manifests.validate import validate
from parley.testing.corpora import make_corpus, make_rows, with_take

KEPT = 7
ROWS = make_rows(KEPT, 2, 1)
TOKENS = SpeechTokens("made-up", "made-up@1", 16_000, 320, 16, (), "wav2token", "MIT")


def codes_of(number: int) -> tuple[ClipCodes, ...]:
    """The user's turn cannot be encoded in row 3."""
    user = ClipCodes(((number, 1), (2, 3, 4, 5))) if number != 3 else ClipCodes((), "too short")
    return user, ClipCodes(((9,), (number, number)))


def write_set(where: Path, name: str = "mine", **changes: Any) -> None:
    corpus = Corpus(where)
    values: dict[str, Any] = {
        "name": name,
        "tokenizer": "made-up",
        "revision": "made-up@1",
        "sample_rate": 16_000,
        "hop_length": 320,
        "codebook_size": 16,
        "license": "MIT",
        "manifest_sha256": manifest_hash(corpus.place),
        "parley_version": "0.1.0",
        "rows": KEPT,
        "clips": 2 * KEPT - 1,
        "frames": 20,
        "without": {"too short": 1},
        "shards": (),
        "about": {"of": "turns"},
        **changes,
    }
    token_set, written, start = TokenSet(**values), [], 0
    for shard in corpus.manifest.shards["kept"]:
        reader = shards.ShardReader(corpus.place / shard.path)
        tables = []
        for rows in reader.group_rows:
            numbers = range(start, start + rows)
            tables.append(token_table([RowCodes(ROWS[i].dialogue_id, codes_of(i), ()) for i in numbers]))
            start += rows
        reader.close()
        written.append(write_token_shard(corpus.place, token_shard_path(name, shard), tables, token_set))
    write_token_set(corpus.place, replace(token_set, shards=tuple(written)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven kept rows in shards of 4 and 3, in row groups of at most 3, with a token set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 3)
        place = make_corpus(tmp_path_factory.mktemp("corpus"), ROWS)
    write_set(Path(place.path))
    return Path(place.path)


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def with_codes(number: int) -> Dialogue:
    """The row as it is read with the set."""
    turns = []
    for turn, codes in zip(ROWS[number].turns, codes_of(number), strict=True):
        tokens = replace(TOKENS, books=codes.books)
        turns.append(with_take(turn, tokens=(tokens,)) if codes.books else turn)
    return replace(ROWS[number], turns=tuple(turns))


def test_rows_have_the_tokens_however_they_are_read(made: Path) -> None:
    corpus, expected = Corpus(made, tokens="mine"), [with_codes(number) for number in range(KEPT)]
    assert list(corpus) == expected
    assert [corpus[i] for i in (6, 0, 4)] == [expected[i] for i in (6, 0, 4)]
    assert list(corpus.rows([1, 3, 5])) == [expected[i] for i in (1, 3, 5)] and list(corpus[2:5]) == expected[2:5]
    assert list(pickle.loads(pickle.dumps(corpus))) == expected
    assert [d.turns[1].take.tokens for d in corpus.dialogues(audio=False) if d.turns[1].take] == [
        d.turns[1].take.tokens for d in expected if d.turns[1].take
    ]
    assert [each.tokenizer for each in corpus.token_sets] == ["made-up"] and list(Corpus(made)) == ROWS[:KEPT]


def test_a_stream_gives_the_codes_of_each_turn(made: Path) -> None:
    corpus = Corpus(made, tokens="mine")
    given = {row.dialogue_id: row.columns for row in CorpusStream(corpus, columns=["wer"], decode=False)}
    for number in range(KEPT):
        user, agent = codes_of(number)
        expected = [{"made-up": user.books} if user.books else {}, {"made-up": agent.books}]
        assert given[ROWS[number].dialogue_id] == {"wer": ROWS[number].wer, "tokens": expected}
    assert "tokens" not in next(iter(CorpusStream(Corpus(made), decode=False))).columns


def test_several_sets_and_what_is_not_there(copy: Path) -> None:
    write_set(copy, "other", tokenizer="another")
    write_set(copy, "same")
    first = Corpus(copy, tokens=["mine", "other"])[0].turns[1].take
    assert first is not None and [tokens.tokenizer for tokens in first.tokens] == ["made-up", "another"]
    assert token_set_names(open_place(str(copy))) == ("mine", "other", "same")
    for tokens, says in {
        ("mine", "same"): "several of these token sets are of the tokenizer made-up",
        ("none",): "no token set 'none'; token sets of this corpus: mine, other, same",
    }.items():
        with pytest.raises(UserError, match=says):
            Corpus(copy, tokens=tokens)
    with pytest.raises(UserError, match="token sets are of kept rows, not of rejected ones"):
        Corpus(copy, "rejected", tokens="mine")
    with pytest.raises(UserError, match="from the shards alone"):
        Corpus(copy, tokens="mine").select(["turns.take.tokens"])


def _edit(**changes: Any) -> Callable[[Path], None]:
    def edit(copy: Path) -> None:
        file = copy / "tokens" / "mine.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return edit


def _swap(copy: Path) -> None:
    write_set(copy, "other", revision="made-up@2")
    shutil.copy(copy / "tokens/other/kept-00000.parquet", copy / "tokens/mine/kept-00000.parquet")
    shutil.rmtree(copy / "tokens/other")
    (copy / "tokens/other.json").unlink()


def _regroup(copy: Path) -> None:
    file = copy / "tokens/mine/kept-00000.parquet"
    pq.write_table(pq.read_table(file), file)


def _flip(copy: Path) -> None:
    file = copy / "tokens/mine/kept-00001.parquet"
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)


BROKEN: list[tuple[Callable[[Path], Any], str, str]] = [
    (_edit(codebook_size=6), "a code is not in 0..5", "deep"),
    (_edit(manifest_sha256="0" * 64), "made for a corpus with another manifest", "mine.json"),
    (_edit(revision="made-up@3"), "another tokenizer, revision or corpus than mine.json says", "kept-00000"),
    (_edit(format="parley-tokens/9"), "its format is not parley-tokens/1", "mine.json"),
    (_edit(license="another"), "", "mine.json: its hash is not that of what it says"),
    (_edit(shards=[]), "", "does not list a file for each kept shard"),
    (_swap, "another tokenizer, revision or corpus than mine.json says", "kept-00000"),
    (_regroup, "not the rows of shards/kept-00000.parquet", "bytes, but mine.json says"),
    (_flip, "damaged", "kept-00001"),
    (lambda copy: (copy / "tokens/mine/kept-00001.parquet").unlink(), "the file is missing", "the file is missing"),
]


@pytest.mark.parametrize(("spoil", "reading", "validating"), BROKEN)
def test_what_is_wrong_is_one_sentence(
    spoil: Callable[[Path], Any], reading: str, validating: str, copy: Path
) -> None:
    assert validate(open_place(str(copy)), deep=True).ok
    spoil(copy)
    if reading:
        with pytest.raises(CorpusError, match=reading):
            list(Corpus(copy, tokens="mine"))
    report = validate(open_place(str(copy)), deep=True)
    assert not report.ok
    if validating != "deep":
        assert any(validating in str(problem) for problem in report.problems)
    assert list(Corpus(copy)) == ROWS[:KEPT], "the corpus itself is not touched"


def test_what_does_not_belong_is_found(copy: Path) -> None:
    (copy / "tokens/half").mkdir()
    (copy / "tokens/half/kept-00000.parquet").write_bytes(b"x")
    (copy / "tokens/mine/notes.txt").write_text("x")
    (copy / "tokens/.tmp-0123-mine.json").write_text("x")
    found = [str(problem) for problem in validate(open_place(str(copy))).problems]
    assert found == [
        "tokens/.tmp-0123-mine.json: does not belong here",
        "tokens/half: an unfinished token set: the same command continues it",
        "tokens/mine/notes.txt: does not belong to the token set",
    ]
