"""Splits: nothing is shared across them, whatever the rows; what cannot be reached is said."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.corpus import Corpus
from manifests.errors import LawBroken, UserError
from manifests.schema import Source
from manifests.validate import validate
from pipeline.views import splits as splitting
from pipeline.views.components import Edges, components, edges_of
from pipeline.views.make import make_splits
from pipeline.views.shares import parse_parts, parse_shares
from pipeline.views.splits import cut
from tests.pipeline.views.corpora import made_corpus, made_row, question

SHARES = {"validation": "10%", "test": "10%"}
EDGE = st.tuples(st.integers(0, 29), st.integers(0, 20))


def by_search(rows, kinds):
    """The components, found by walking from row to row."""
    labels = {}
    for start in range(rows):
        waiting = [start] if start not in labels else []
        while waiting:
            row = waiting.pop()
            labels[row] = start
            things = [{t for r, t in kind if r == row} for kind in kinds]
            near = {r for kind, own in zip(kinds, things, strict=True) for r, t in kind if t in own}
            waiting += [r for r in near if r not in labels]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels[row] for row in range(rows)))}
    return [numbers[labels[row]] for row in range(rows)]


def as_edges(pairs):
    return Edges(np.array([r for r, _ in pairs], dtype=np.int64), np.array([t for _, t in pairs], dtype=np.int64))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(EDGE, max_size=40), min_size=1, max_size=3))
def test_components_are_those_of_a_search(kinds):
    assert components(30, [as_edges(kind) for kind in kinds]).tolist() == by_search(30, kinds)


def test_a_long_chain_is_one_component():
    chain = np.random.default_rng(0).permutation(20_000)
    links = np.arange(19_999)
    edges = Edges(np.concatenate([chain[:-1], chain[1:]]), np.concatenate([links, links]))
    assert components(20_000, [edges]).max() == 0


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(1, 20)), min_size=30, max_size=120),
    st.integers(0, 5),
)
def test_nothing_is_shared_and_no_row_is_lost(rows, seed):
    voices, groups, seconds = (np.array(values) for values in zip(*rows, strict=True))
    kinds = {"voice": edges_of(voices), "duplicates": edges_of(groups)}
    ranks = np.random.default_rng(seed).integers(0, 2**63, len(rows)).astype(np.uint64)
    try:
        made = cut(seconds, voices % 2, ranks, kinds, {"validation": 0.1, "test": 0.2})
    except UserError as error:
        assert "cannot be cut" in str(error)
        return
    assert set(made.numbers.tolist()) == {0, 1, 2} and len(made.numbers) == len(rows)
    for things in (voices, groups):
        for thing in set(things.tolist()):
            assert len(set(made.numbers[things == thing].tolist())) == 1
    for number, (name, share) in enumerate((("validation", 0.1), ("test", 0.2)), start=1):
        got = seconds[made.numbers == number].sum() / seconds.sum()
        assert got == pytest.approx(made.reached[name]) and got <= share * 1.1 + 1e-9
        assert any(name in note for note in made.notes) == (got < 0.9 * share)


def test_shares_are_reached_in_each_stratum_where_groups_are_small():
    rows, random = 4000, np.random.default_rng(1)
    strata, seconds = random.integers(0, 4, rows), random.uniform(1, 10, rows)
    ranks = random.integers(0, 2**63, rows).astype(np.uint64)
    made = cut(seconds, strata, ranks, {"source": edges_of(np.arange(rows) // 2)}, {"validation": 0.05, "test": 0.05})
    for number in (1, 2):
        for stratum in range(4):
            inside = strata == stratum
            share = seconds[inside & (made.numbers == number)].sum() / seconds[inside].sum()
            assert share == pytest.approx(0.05, abs=0.02)


def test_a_shared_thing_would_be_a_bug(monkeypatch):
    def broken(rows, kinds):
        return np.arange(rows)

    monkeypatch.setattr(splitting, "components", broken)
    with pytest.raises(LawBroken, match="two splits share the user's voice"):
        cut(
            np.ones(40),
            np.zeros(40, dtype=np.int64),
            np.arange(40, dtype=np.uint64),
            {"voice": edges_of(np.arange(40) // 20)},
            {"test": 0.1},
        )


def users(number):
    return [f"tone-user-en-{gender}-{n}" for gender in ("female", "male") for n in range(number)]


def test_the_view_is_written_and_sound(tmp_path):
    names = users(3)
    rows = [made_row(n, names[n % 6]) for n in range(60)]
    rows += [made_row(60 + n, names[n], text=f"{question(n)} please") for n in range(6)]  # like row n, and its voice
    place = made_corpus(tmp_path, rows)
    view = make_splits(place, {"validation": "17%", "test": "17%"}, ignore=["parents"])
    assert validate(place).ok
    found = {name: list(Corpus(place, split=name).dialogues(audio=False)) for name in ("train", "validation", "test")}
    assert sum(map(len, found.values())) == 66
    voices = {name: {row.user_voice for row in part} for name, part in found.items()}
    assert [len(voices[name]) for name in voices] == [4, 1, 1]
    assert view.about["disjoint_by"] == ["source", "duplicates", "voice"] and view.about["ignored"] == ["parents"]


def test_a_voice_in_the_background_is_a_voice_of_its_dialogue(tmp_path):
    names = users(4)
    rows = [replace(made_row(n, names[n % 8]), background_voice=names[(n % 8) ^ 1]) for n in range(64)]
    place = made_corpus(tmp_path, rows)
    view = make_splits(place, {"test": "25%"}, ignore=["parents", "duplicates"])
    assert view.about["groups"] == 4  # the voices come in pairs
    parts = [Corpus(place, split=name).dialogues(audio=False) for name in ("train", "test")]
    heard = [{voice for row in part for voice in (row.user_voice, row.background_voice)} for part in parts]
    assert [len(voices) for voices in heard] == [6, 2] and not heard[0] & heard[1]
    assert view.about["parts"]["test"]["voices"]["background"] == {"has": 2, "missing": 6}


def test_near_duplicates_stay_together(tmp_path):
    rows = [made_row(n) for n in range(40)]
    rows += [made_row(100 + n, text=f"{question(n)} please") for n in range(20)]
    rows += [made_row(200 + n, text=f"oh {question(n)} please") for n in range(20)]  # resembles the second more
    place = made_corpus(tmp_path, rows)
    make_splits(place, SHARES, ignore=["parents", "voice"])
    part_of = {row.dialogue_id: name for name in ("train", "validation", "test") for row in Corpus(place, split=name)}
    for n in range(20):
        assert len({part_of[f"made-{number + n:08x}"] for number in (0, 100, 200)}) == 1
    with pytest.raises(UserError, match=r"cannot be cut.*1 group"):
        make_splits(place, SHARES, ignore=["parents"])
    make_splits(place, SHARES, ignore=["parents", "voice", "duplicates"])
    part_of = {row.dialogue_id: name for name in ("train", "validation", "test") for row in Corpus(place, split=name)}
    assert any(len({part_of[f"made-{number + n:08x}"] for number in (0, 100, 200)}) > 1 for n in range(20))


def test_dialogues_of_one_source_row_stay_together(tmp_path):
    rows = [made_row(n, source=Source("made", str(n // 2), "CC0-1.0")) for n in range(80)]
    place = made_corpus(tmp_path, rows)
    make_splits(place, SHARES, ignore=["parents", "voice"])
    for name in ("train", "validation", "test"):
        sources = [row.source.row for row in Corpus(place, split=name)]
        assert sources and all(sources.count(source) == 2 for source in sources)


def test_the_people_behind_the_voices(tmp_path):
    """Every voice of the tone bank is the same speaker at another pitch: only their people can be ignored."""
    names = users(3)
    place = made_corpus(tmp_path, [made_row(n, names[n % 6]) for n in range(60)])
    with pytest.raises(UserError, match=r"1 group, the largest with 100.0% .* without parents: 6 groups"):
        make_splits(place, SHARES)


def test_without_a_bank_nobody_knows_the_people(tmp_path):
    place = made_corpus(tmp_path, [made_row(n, f"v{n % 10}") for n in range(60)], bank=None)
    with pytest.raises(UserError, match=r"nobody can tell whose recordings.*--bank DIR.*--ignore parents"):
        make_splits(place, SHARES)
    assert make_splits(place, SHARES, ignore=["parents"]).about["bank"] is None


def test_a_bank_that_ships_but_lacks_a_voice_tells_nothing(tmp_path):
    """A recipe that was changed on the way took voices from two banks: the manifest records the last one."""
    place = made_corpus(tmp_path, [made_row(n, f"v{n}") for n in range(30)], bank="tone")
    with pytest.raises(UserError, match="nobody can tell"):
        make_splits(place, SHARES)


def test_time_grows_with_the_rows_and_not_with_their_square():
    def seconds(rows):
        random = np.random.default_rng(0)
        kinds = {"voice": edges_of(random.integers(0, rows // 20, rows)), "source": edges_of(np.arange(rows) // 2)}
        ranks = random.integers(0, 2**63, rows).astype(np.uint64)
        start = time.process_time()
        components(rows, list(kinds.values()))
        cut(np.ones(rows), np.zeros(rows, dtype=np.int64), ranks, {"source": kinds["source"]}, {"test": 0.1})
        return time.process_time() - start

    seconds(1000)
    assert seconds(120_000) < 12 * seconds(30_000)


def test_a_bank_with_parents_is_asked(tmp_path):
    """Two voices share a parent, so their rows are on one side; the bank's digest is recorded."""
    bank = tmp_path / "bank"
    bank.mkdir()
    (bank / "card.json").write_text('{"name": "mine"}')
    lines = [
        f'{{"voice_id": "v{n}", "engine": "tone", "speaker": "v{n}", "language": "en", "gender": "female", '
        f'"parents": ["p{n // 2}", "q{n}"], "weights": [0.5, 0.5]}}'
        for n in range(20)
    ]
    (bank / "voices.jsonl").write_text("\n".join(lines))
    place = made_corpus(tmp_path / "corpus", [made_row(n, f"v{n % 20}") for n in range(100)], bank=None)
    view = make_splits(place, SHARES, bank=str(bank))
    assert view.about["bank"]["name"] == "mine" and view.about["groups"] == 10
    voices = {name: {row.user_voice for row in Corpus(place, split=name)} for name in ("validation", "test")}
    assert all(len(found) == 2 and len({int(voice[1:]) // 2 for voice in found}) == 1 for found in voices.values())


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ({"test": "100%"}, "not a share"),
        ({"test": "60%", "validation": "50%"}, "leave some to train"),
        ({"test": "0"}, "leave some to train"),
        ({"test": "much"}, "not a share"),
        ({"train": "5%"}, "different names"),
    ],
)
def test_shares_that_cannot_be(shares, says):
    with pytest.raises(UserError, match=says):
        parse_shares(shares)


def test_shares_and_names_as_options():
    assert parse_shares({"validation": "5%", "test": "0", "dev": "0.1"}) == {"validation": 0.05, "dev": 0.1}
    assert parse_parts(["dev=2%"]) == {"dev": "2%"}
    with pytest.raises(UserError, match="NAME=SHARE"):
        parse_parts(["dev"])


def test_what_cannot_be_ignored_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot ignore agents; there are source, duplicates, voice, parents"):
        make_splits(made_corpus(tmp_path, []), SHARES, ignore=["agents"])


def test_an_empty_corpus_cannot_be_split(tmp_path):
    with pytest.raises(UserError, match="no kept rows"):
        make_splits(made_corpus(tmp_path, []), SHARES, ignore=["parents"])


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    rows = [made_row(n, f"v{n % 30}") for n in range(90)]
    parts = []
    for name, ordered in (("a", rows), ("b", rows[::-1])):
        place = made_corpus(tmp_path / name, [replace(row) for row in ordered], bank=None)
        make_splits(place, SHARES, ignore=["parents"])
        parts.append({row.dialogue_id for row in Corpus(place, split="test")})
    assert parts[0] == parts[1]
