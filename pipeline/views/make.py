"""Makes the views of a corpus and writes them into it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.storage import Place
from manifests.views import PartNumbers, View, write_view
from pipeline.dedup.groups import similar_pairs
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import Hashes, text_hashes
from pipeline.views.components import Edges, components, edges_of, joined_edges
from pipeline.views.describe import describe_parts
from pipeline.views.facts import Coded, Codes, RowFacts, crossed, joined, mapped, read_facts, row_ranks
from pipeline.views.shares import parse_shares, parse_sizes
from pipeline.views.splits import KEYS, REST, cut
from pipeline.views.subsets import Balance, choose_subsets
from pipeline.views.voices import VoicesKnown, bank_of, know_voices


def make_subsets(
    place: Place,
    sizes: str,
    seed: int = 0,
    balance: Balance = "corpus",
    bank: str | None = None,
    within: str | None = None,
) -> View:
    """Make the view "subsets" of a corpus: nested, of sizes as `XS=1h,S=10h,XL=all`.

    `within` names a view, or VIEW/PART, whose rows alone are chosen from. Raises UserError for sizes that the corpus
    does not have, for an unknown view, and for a bank that is not the corpus's.
    """
    corpus = Corpus(place)
    facts, chosen = read_facts(corpus), _rows_within(place, corpus, within)
    some = _some(facts, chosen)
    limits = parse_sizes(sizes, float(some.seconds.sum()))
    known = know_voices(corpus, facts.user_voice.names, bank)
    gender = mapped(facts.user_voice, dict(known.genders))
    groups = crossed(some.language, Coded(gender.names, gender.codes[chosen]))
    numbers = np.full(len(facts), -1, dtype=np.int8)
    numbers[chosen] = choose_subsets(some, groups, list(limits.values()), seed, balance)
    about = {
        "made_by": "subsets",
        "seed": seed,
        "sizes_s": limits,
        "balance": balance,
        "within": within,
        "gender_from": known.genders_from,
        "bank": known.bank_record,
    }
    return put_view(corpus, "subsets", tuple(limits), numbers, facts, gender, about, nested=True)


def make_splits(
    place: Place,
    shares: Mapping[str, str],
    seed: int = 0,
    ignore: Collection[str] = (),
    bank: str | None = None,
    similarity: float = 0.7,
) -> View:
    """Make the view "splits": "train" and parts of the given shares, which share none of `KEYS` but those ignored.

    Raises UserError where the shares cannot be reached at all, and where the people behind the voices are not known
    and "parents" is not ignored.
    """
    if unknown := sorted(set(ignore) - set(KEYS)):
        raise UserError(f"cannot ignore {', '.join(unknown)}; there are {', '.join(KEYS)}")
    wanted = parse_shares(shares, REST)
    corpus = Corpus(place)
    facts = read_facts(corpus, source=True)
    if not len(facts):
        raise UserError(f"{place}: the corpus has no kept rows")
    known = know_voices(corpus, {*facts.user_voice.names, *facts.background_voice.names}, bank)
    gender = mapped(facts.user_voice, dict(known.genders))
    strata = crossed(facts.language, gender)
    kinds = _kinds(corpus, facts, known, ignore, similarity)
    made = cut(facts.seconds, strata.codes, row_ranks(facts.ids, seed), kinds, wanted)
    about = {
        "made_by": "splits",
        "seed": seed,
        "shares": wanted,
        "reached": {name: round(share, 6) for name, share in made.reached.items()},
        "disjoint_by": list(kinds),
        "ignored": [key for key in KEYS if key in ignore],
        "similarity": similarity if "duplicates" in kinds else None,
        "groups": made.groups,
        "largest_group": round(made.largest, 6),
        "gender_from": known.genders_from,
        "bank": known.bank_record,
        "notes": list(made.notes),
    }
    return put_view(corpus, "splits", (REST, *wanted), made.numbers, facts, gender, about)


def put_view(
    corpus: Corpus,
    name: str,
    parts: Sequence[str],
    numbers: PartNumbers,
    facts: RowFacts,
    gender: Coded,
    about: Mapping[str, Any],
    nested: bool = False,
) -> View:
    """Write a view of the corpus, with what its parts hold."""
    described = {**about, "parts": describe_parts(facts, gender, tuple(parts), numbers, nested)}
    return write_view(corpus.place, name, parts, numbers, facts.ids, described, version("parley"), nested)


def _kinds(
    corpus: Corpus, facts: RowFacts, known: VoicesKnown, ignore: Collection[str], similarity: float
) -> dict[str, Edges]:
    """Return what rows of different splits may not share."""
    kinds = {}
    if "source" not in ignore and facts.source is not None:
        kinds["source"] = edges_of(facts.source.codes)
    heard = joined(facts.user_voice, facts.background_voice)
    if "voice" not in ignore:
        kinds["voice"] = joined_edges(*(edges_of(voices.codes) for voices in heard))
    if "parents" not in ignore:
        kinds["parents"] = joined_edges(*(_people_edges(corpus, voices, known) for voices in heard))
    if "duplicates" not in ignore:
        kinds["duplicates"] = _duplicate_edges(corpus, similarity)
    return {key: kinds[key] for key in KEYS if key in kinds}


def _people_edges(corpus: Corpus, voices: Coded, known: VoicesKnown) -> Edges:
    if known.bank is None:
        name = bank_of(corpus)
        raise UserError(
            "nobody can tell whose recordings are behind the voices: this corpus names "
            + (f"the voice bank {name!r}, which is not at hand" if name else "no voice bank")
            + "; name the bank with --bank DIR, or leave that out with --ignore parents"
        )
    people = known.people()
    pairs = [(code, person) for code, name in enumerate(voices.names) for person in people.get(name, ())]
    persons = {person: number for number, person in enumerate(sorted({person for _, person in pairs}))}
    of_code: list[list[int]] = [[] for _ in voices.names]
    for code, person in pairs:
        of_code[code].append(persons[person])
    counts = np.array([*map(len, of_code), 0], dtype=np.int64)[voices.codes]
    rows = np.repeat(np.arange(len(voices.codes)), counts)
    things = [np.array(of_code[code], dtype=np.int64) for code in voices.codes.tolist() if code >= 0]
    return Edges(rows, np.concatenate([np.empty(0, dtype=np.int64), *things]))


def _duplicate_edges(corpus: Corpus, similarity: float) -> Edges:
    settings = DedupSettings(threshold=similarity)
    pairs = similar_pairs(_question_hashes(corpus, settings), settings)
    things = np.arange(len(pairs), dtype=np.int64)
    joined = Edges(pairs.reshape(-1), np.repeat(things, 2))
    return edges_of(components(len(corpus), [joined]))


def _question_hashes(corpus: Corpus, settings: DedupSettings) -> Iterator[Hashes]:
    for batch in corpus.select(["language", "turns.role", "turns.text"]):
        for row in batch.to_pylist():
            text = " ".join(turn["text"] or "" for turn in row["turns"] if turn["role"] == "user")
            yield text_hashes(text, row["language"], settings.shingle)


def _rows_within(place: Place, corpus: Corpus, within: str | None) -> Codes:
    """Return the numbers of the rows that may be chosen."""
    if within is None:
        return np.arange(len(corpus), dtype=np.int64)
    return Corpus(place, view=within).row_numbers


def _some(facts: RowFacts, rows: Codes) -> RowFacts:
    def part(column: Coded) -> Coded:
        return Coded(column.names, column.codes[rows])

    return RowFacts(
        facts.ids.take(pa.array(rows)),
        facts.seconds[rows],
        part(facts.language),
        part(facts.user_voice),
        part(facts.agent_voice),
        part(facts.background_voice),
    )
