"""Nested subsets: their set algebra for any rows, and the view that is written."""

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.storage import open_place
from manifests.validate import validate
from manifests.views import load_view
from pipeline.views.facts import Coded, RowFacts, coded, crossed, mapped, read_facts
from pipeline.views.make import make_subsets
from pipeline.views.shares import parse_sizes
from pipeline.views.subsets import choose_subsets
from tests.pipeline.views.corpora import made_corpus, made_row

VOICES = [f"tone-user-en-{gender}-{n}" for gender in ("female", "male") for n in range(3)]
AGENTS = ["tone-agent-en-female", "tone-agent-en-male"]

ROW = st.tuples(st.integers(0, 9), st.integers(0, 1), st.sampled_from(["en", "zh"]), st.floats(1, 30))


def facts_of(rows) -> RowFacts:
    users, agents, languages, seconds = zip(*rows, strict=True)

    def column(values):
        return coded([pa.array([str(value) for value in values])])

    nobody = np.full(len(rows), -1, dtype=np.int64)
    ids = pa.array([f"row-{n}" for n in range(len(rows))], pa.large_string())
    return RowFacts(ids, np.array(seconds), column(languages), column(users), column(agents), Coded((), nobody))


def permuted(facts: RowFacts, order) -> RowFacts:
    def part(values: Coded) -> Coded:
        return Coded(values.names, values.codes[order])

    return replace(
        facts,
        ids=facts.ids.take(pa.array(order)),
        seconds=facts.seconds[order],
        language=part(facts.language),
        user_voice=part(facts.user_voice),
        agent_voice=part(facts.agent_voice),
    )


def groups_of(facts: RowFacts) -> Coded:
    """Language, and a gender that several voices have."""
    genders = {voice: "female" if int(voice, 36) % 2 else "male" for voice in facts.user_voice.names}
    return crossed(facts.language, mapped(facts.user_voice, genders))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=60), st.integers(0, 3), st.sampled_from(["corpus", "equal"]))
def test_subsets_are_nested_full_and_cover_the_voices(rows, seed, balance):
    facts = facts_of(rows)
    total = facts.seconds.sum()
    sizes = [total * 0.2, total * 0.5, total]
    numbers = choose_subsets(facts, groups_of(facts), sizes, seed, balance)
    assert numbers.max() <= 2 and (numbers >= 0).all()  # the last one is the whole corpus
    longest, everybody = facts.seconds.max(), set(facts.user_voice.codes.tolist())
    shortest = sum(facts.seconds[facts.user_voice.codes == voice].min() for voice in everybody)
    for number, size in enumerate(sizes):
        inside = numbers <= number
        assert size - longest < facts.seconds[inside].sum() <= size * (1 + 1e-6)
        agents = {facts.seconds[facts.agent_voice.codes == voice].min() for voice in set(facts.agent_voice.codes)}
        if size >= shortest + sum(agents):  # there is room for the shortest row of each voice
            assert set(facts.user_voice.codes[inside].tolist()) == everybody
            assert set(facts.agent_voice.codes[inside]) == set(facts.agent_voice.codes)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, min_size=2, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    facts = facts_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    sizes = [facts.seconds.sum() * 0.3, facts.seconds.sum() * 0.6]
    other = permuted(facts, np.array(order))
    straight = choose_subsets(facts, groups_of(facts), sizes, 0)
    shuffled = choose_subsets(other, groups_of(other), sizes, 0)
    assert shuffled.tolist() == straight[np.array(order)].tolist()


def test_time_grows_with_the_rows_and_not_with_their_square():
    def seconds(rows):
        facts = facts_of([(n % 500, n % 2, "en", 5.0) for n in range(rows)])
        groups = groups_of(facts)
        start = time.process_time()
        choose_subsets(facts, groups, [rows * 0.5, rows * 2.5], 0)
        return time.process_time() - start

    seconds(1000)
    assert seconds(40_000) < 12 * seconds(10_000)


def test_another_seed_chooses_other_rows():
    facts = facts_of([(n % 5, n % 2, "en", 5.0) for n in range(200)])
    first, second = (choose_subsets(facts, groups_of(facts), [250.0], seed) for seed in (0, 1))
    assert (first == 0).sum() == (second == 0).sum() == 50
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize(("balance", "share"), [("corpus", 0.8), ("equal", 0.5)])
def test_balance(balance, share):
    facts = facts_of([("a", 0, "en", 2.0)] * 800 + [("b", 1, "zh", 2.0)] * 200)
    numbers = choose_subsets(facts, facts.language, [100.0, 300.0], 0, balance)
    for number in (0, 1):
        inside = numbers == number
        english = facts.seconds[inside & (facts.language.codes == facts.language.names.index("en"))].sum()
        assert english / facts.seconds[inside].sum() == pytest.approx(share, abs=0.03)


def test_what_covering_the_voices_took_is_made_good():
    """A hundred voices of one gender and one of the other: the first rows are of the hundred, the next of the one."""
    rows = [(f"{2 * n}", 0, "en", 1.0) for n in range(100) for _ in range(10)] + [("1", 0, "en", 1.0)] * 1000
    facts = facts_of(rows)
    numbers = choose_subsets(facts, groups_of(facts), [200.0], 0)
    inside = numbers == 0
    assert (inside & (facts.user_voice.codes == facts.user_voice.names.index("1"))).sum() == 100
    assert len(np.unique(facts.user_voice.codes[inside])) == 101


def test_a_rare_agent_is_covered_too():
    facts = facts_of([("1", int(n == 777), "en", 1.0) for n in range(1000)])
    numbers = choose_subsets(facts, groups_of(facts), [3.0, 10.0], 0)
    assert numbers[777] == 0 and (numbers == 0).sum() == 3


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    rows = [made_row(n, VOICES[n % 6], AGENTS[n % 2], seconds=0.1 + 0.01 * (n % 5)) for n in range(120)]
    return made_corpus(tmp_path_factory.mktemp("subsets"), rows)


def test_the_view_is_written_read_and_sound(corpus):
    view = make_subsets(corpus, "XS=2s,S=50%,L=all")
    assert load_view(corpus, "subsets") == view and validate(corpus).ok
    ids = {name: [row.dialogue_id for row in Corpus(corpus, subset=name)] for name in ("XS", "S", "L")}
    assert set(ids["XS"]) < set(ids["S"]) < set(ids["L"]) and len(ids["L"]) == 120
    described = view.about["parts"]
    assert described["XS"]["rows"] == len(ids["XS"])
    assert described["XS"]["voices"] == {"user": {"has": 6, "missing": 0}, "agent": {"has": 2, "missing": 0}}
    hours = described["S"]["languages"]["en"]
    assert set(hours) == {"female", "male"} and hours["female"] == pytest.approx(hours["male"], rel=0.1)
    assert view.about["gender_from"] == "the voice bank tone"


def test_without_room_the_missing_voices_are_counted(corpus):
    described = make_subsets(corpus, "XS=0.5s,S=50%,M=all").about["parts"]
    missing = described["XS"]["voices"]["user"]["missing"]
    assert 0 < missing == 6 - described["XS"]["voices"]["user"]["has"]


def test_genders_come_from_metadata_where_no_bank_is_known(tmp_path):
    rows = [made_row(n, f"v{n % 2}", "a") for n in range(20)]
    place = made_corpus(tmp_path, rows, bank=None, metadata={"v0": "female", "v1": "male"})
    view = make_subsets(place, "S=50%")
    assert view.about["gender_from"] == "metadata.json" and set(view.about["parts"]["S"]["languages"]["en"]) == {
        "female",
        "male",
    }


def test_unknown_genders_are_said(tmp_path):
    view = make_subsets(made_corpus(tmp_path, [made_row(n, f"v{n % 2}", "a") for n in range(20)], bank=None), "S=50%")
    assert view.about["gender_from"] is None
    assert list(view.about["parts"]["S"]["languages"]["en"]) == ["unknown"]


def test_a_bank_that_is_not_the_corpuss_is_refused(corpus):
    with pytest.raises(UserError, match="offline is not the voice bank of this corpus: the manifest records"):
        make_subsets(corpus, "S=50%", bank="offline")


def test_a_bank_that_lacks_voices_is_refused(tmp_path):
    place = made_corpus(tmp_path, [made_row(0, "nobody")], bank=None)
    with pytest.raises(UserError, match="lacks 1 voices of this corpus: nobody"):
        make_subsets(place, "S=all", bank="tone")


def test_within_another_view(corpus):
    make_subsets(corpus, "S=50%")
    half = {row.dialogue_id for row in Corpus(corpus, subset="S")}
    view = make_subsets(corpus, "XS=20%,S=all", within="subsets/S")
    assert {row.dialogue_id for row in Corpus(corpus, subset="S")} == half
    assert view.about["parts"]["XS"]["rows"] < len(half) / 4


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ("XS=10s,S=10s", "sizes must grow: S=10s is not more than XS=10s"),
        ("S=1h", "S=1h is more than there is to choose from: 100s"),
        ("S=ten", "a size is a number with h, min, s or %"),
        ("S=0s", "a size is a number"),
        ("S", "a size is a number"),
        ("/=1h", "cannot be named"),
        ("S=1s,S=2s", "different names"),
    ],
)
def test_sizes_that_cannot_be(sizes, says):
    with pytest.raises(UserError, match=says):
        parse_sizes(sizes, 100.0)


def test_sizes_in_every_unit():
    sizes = parse_sizes("a=30s,b=1.5min,c=1h,d=75%,e=all", 7200.0)
    assert sizes == {"a": 30.0, "b": 90.0, "c": 3600.0, "d": 5400.0, "e": 7200.0}


def test_facts_are_those_of_the_rows(corpus):
    facts, rows = read_facts(Corpus(corpus), source=True), list(Corpus(corpus).dialogues(audio=False))
    assert facts.ids.to_pylist() == [row.dialogue_id for row in rows]
    assert facts.seconds.tolist() == pytest.approx([sum(t.audio.duration_s for t in row.turns) for row in rows])
    assert [facts.user_voice.names[code] for code in facts.user_voice.codes] == [row.user_voice for row in rows]
    assert len(facts.source.names) == 120
    assert mapped(facts.user_voice, {VOICES[0]: "x"}).codes.tolist() == [0 if n % 6 == 0 else -1 for n in range(120)]


def test_an_empty_corpus_has_no_subsets(tmp_path):
    place = made_corpus(tmp_path, [])
    with pytest.raises(UserError, match="more than there is"):
        make_subsets(open_place(place.path), "S=1h")
