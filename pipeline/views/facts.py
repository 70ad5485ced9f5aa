"""Reads what choosing rows needs to know of them: a few small columns, no audio and no texts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import Corpus

_COLUMNS = (
    "dialogue_id",
    "language",
    "user_voice",
    "agent_voice",
    "background_voice",
    "turns.take.audio.num_samples",
    "turns.take.audio.sample_rate",
)
_SOURCE = ("source.dataset", "source.row")

Seconds = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """A column of names: `names[codes[i]]` is that of row i; a code of -1 is no name."""

    names: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True)
class RowFacts:
    """The rows of a corpus, in its order. `seconds` is the speech of all turns, `source` data set and row.

    `background_voice` is one of the bank's users, who is heard behind the user.
    """

    ids: pa.Array
    seconds: Seconds
    language: Coded
    user_voice: Coded
    agent_voice: Coded
    background_voice: Coded
    source: Coded | None = None

    def __len__(self) -> int:
        return len(self.seconds)


def read_facts(corpus: Corpus, source: bool = False) -> RowFacts:
    """Read the facts; the source of each row, which takes the most memory, only if asked for."""
    batches = list(corpus.select((*_COLUMNS, *(_SOURCE if source else ()))))
    ids = _joined([batch["dialogue_id"] for batch in batches], pa.large_string())
    sources = [_source(batch["source"]) for batch in batches] if source else None
    seconds = np.concatenate([np.zeros(0), *(_seconds(batch["turns"]) for batch in batches)])
    columns = ("language", "user_voice", "agent_voice", "background_voice")
    names = (coded([batch[name] for batch in batches]) for name in columns)
    return RowFacts(ids, seconds, *names, None if sources is None else coded(sources))


def coded(columns: Sequence[pa.Array]) -> Coded:
    """Number the different names in an array of strings that comes in pieces."""
    encoded = pc.dictionary_encode(_joined(columns, pa.large_string()))
    return Coded(tuple(encoded.dictionary.to_pylist()), encoded.indices.fill_null(-1).to_numpy().astype(np.int64))


def crossed(left: Coded, right: Coded) -> Coded:
    """Number the pairs of names of two columns, as "zh female"; a missing name is "unknown"."""
    pairs = (left.codes + 1) * (len(right.names) + 1) + right.codes + 1
    found, codes = np.unique(pairs, return_inverse=True)
    one, other = np.divmod(found, len(right.names) + 1)
    lefts, rights = ("unknown", *left.names), ("unknown", *right.names)
    names = tuple(f"{lefts[a]} {rights[b]}" for a, b in zip(one.tolist(), other.tolist(), strict=True))
    return Coded(names, codes.astype(np.int64).reshape(-1))


def joined(left: Coded, right: Coded) -> tuple[Coded, Coded]:
    """Number the names of two columns in one way: both get the names of both."""
    names = tuple(dict.fromkeys((*left.names, *right.names)))
    table = np.array([*(names.index(name) for name in right.names), -1], dtype=np.int64)
    return Coded(names, left.codes), Coded(names, table[right.codes])


def mapped(column: Coded, names: dict[str, str]) -> Coded:
    """Replace each name by what `names` says of it; where it says nothing there is none."""
    values = sorted(set(names.values()))
    table = np.array([*(values.index(names[n]) if n in names else -1 for n in column.names), -1], dtype=np.int64)
    return Coded(tuple(values), table[column.codes])


def row_ranks(ids: pa.Array, seed: int) -> Ranks:
    """Return a number for each row that depends on its dialogue_id and the seed alone: uint64 [rows]."""
    names = (f"{seed}\x1f{name}".encode() for name in ids.to_pylist())
    data = b"".join(hashlib.blake2b(name, digest_size=8).digest() for name in names)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)


def sums(codes: Codes, seconds: Seconds, count: int = 0) -> Seconds:
    """Add up the seconds of each code: float64 [at least `count`]."""
    return np.bincount(codes, weights=seconds, minlength=count).astype(np.float64)


def _joined(columns: Sequence[pa.Array], kind: Any) -> pa.Array:
    return pa.concat_arrays([pa.array([], kind), *(column.cast(kind) for column in columns)])


def _source(column: pa.Array) -> pa.Array:
    dataset, row = (pc.struct_field(column, name).cast(pa.large_string()) for name in ("dataset", "row"))
    return pc.binary_join_element_wise(dataset, row, pa.scalar("\x1f", pa.large_string()))


def _seconds(turns: pa.Array) -> Seconds:
    """Return the speech of each row's turns together, in seconds."""
    audio = pc.struct_field(pc.struct_field(pc.list_flatten(turns), "take"), "audio")
    samples, rate = (pc.struct_field(audio, name) for name in ("num_samples", "sample_rate"))
    lengths = pc.divide(samples.cast(pa.float64()), rate.cast(pa.float64())).fill_null(0)
    return sums(pc.list_parent_indices(turns).to_numpy(), lengths.to_numpy(zero_copy_only=False), len(turns))
