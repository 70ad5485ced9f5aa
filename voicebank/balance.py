"""Decides the gender, language and rate bucket of each voice, and picks its parents.

Voices are averaged within a *stratum*: one gender, one language. The stratum of the n-th voice is not chosen at
random: after every voice, the shares are kept as exactly as whole numbers allow. Within a stratum, the first parent is
any speaker who has a possible partner, all with the same probability, and the others are any speakers of the first
one's rate bucket. So rate buckets come up in proportion to their speakers, as in Ke-SpeechChat: in proportion to their
*pairs*, common rates would be made commoner still, by the square.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from manifests.errors import UserError
from voicebank.speaker_table import Rows, SpeakerTable
from voicebank.voice import GENDERS, Gender

Balance = Literal["gender", "corpus"]


@dataclass(frozen=True)
class Stratum:
    """The speakers of one gender and language who have partners, sorted by rate bucket.

    `members` are rows of the speaker table; `starts` and `sizes` say, for each member, where in `members` the member's
    bucket begins and how many are in it. All are int64 [N].
    """

    gender: Gender
    language: str
    members: Rows
    starts: Rows
    sizes: Rows

    @property
    def name(self) -> str:
        return f"{self.language} {self.gender}"


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one voice: the index of its stratum, and whether it is an agent's voice."""

    stratum: int
    agent: bool


def find_strata(speakers: SpeakerTable, parents: int) -> tuple[Stratum, ...]:
    """Find the strata in which voices of `parents` parents can be made, by gender and language; there may be none."""
    buckets: dict[tuple[Gender, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, key in enumerate(zip(speakers.genders, speakers.languages, strict=True)):
        buckets[key][int(speakers.buckets[row])].append(row)
    found = (_stratum(key, of_key, parents) for key, of_key in sorted(buckets.items()))
    return tuple(stratum for stratum in found if stratum.members.size)


def pick_parents(stratum: Stratum, draws: npt.NDArray[np.float64]) -> Rows:
    """Pick parents for N voices by uniform numbers [N, K]: rows of the speaker table [N, K].

    The parents of one voice are all different and of one rate bucket.
    """
    first = np.floor(draws[:, 0] * len(stratum.members)).astype(np.int64)
    starts, sizes = stratum.starts[first], stratum.sizes[first]
    chosen = (first - starts)[:, None]
    for index in range(1, draws.shape[1]):
        place = np.floor(draws[:, index] * (sizes - index)).astype(np.int64)
        for taken in np.sort(chosen, axis=1).T:  # `place` counts only the speakers who are left
            place += place >= taken
        chosen = np.column_stack([chosen, place])
    picked: Rows = stratum.members[starts[:, None] + chosen]
    return picked


def plan(
    strata: Sequence[Stratum], balance: Balance, languages: Mapping[str, float] | None, agents: int
) -> Iterator[Slot]:
    """Yield slots without end. With agents, the first two slots are theirs: one female, one male.

    `languages` gives the shares of languages; without it, they are those of the speakers who have partners.
    UserError where an agent's gender has no pairs.
    """
    shares = _shares(strata, languages)
    of_gender = {g: [i for i, s in enumerate(strata) if s.gender == g and shares[i] > 0] for g in GENDERS}
    present = [gender for gender in GENDERS if of_gender[gender]]
    if agents:
        for gender in GENDERS:
            if not of_gender[gender]:
                raise UserError(
                    f"no {gender} agent can be made: no two {gender} speakers share a rate bucket; try --agents 0"
                )
            yield Slot(max(of_gender[gender], key=lambda index: shares[index]), True)
    weights = [1.0 if balance == "gender" else sum(shares[i] for i in of_gender[g]) for g in present]
    inner = [_rotation([shares[i] for i in of_gender[g]]) for g in present]
    for turn in _rotation(weights):
        yield Slot(of_gender[present[turn]][next(inner[turn])], False)


def check_languages(strata: Sequence[Stratum], languages: Mapping[str, float] | None) -> None:
    """Raise UserError for a language that has no pairs of speakers, and for a share that is not a positive number."""
    known = sorted({stratum.language for stratum in strata})
    for language, share in (languages or {}).items():
        if language not in known:
            raise UserError(
                f"no two speakers of {language!r} can be paired; languages with pairs: {', '.join(known) or 'none'}"
            )
        if not 0 < share < float("inf"):
            raise UserError(f"--language {language}={share:g}: a share must be above 0")


def _stratum(key: tuple[Gender, str], buckets: Mapping[int, Sequence[int]], parents: int) -> Stratum:
    members: list[int] = []
    starts: list[int] = []
    sizes: list[int] = []
    for _, rows in sorted(buckets.items()):
        if len(rows) >= parents:
            starts += [len(members)] * len(rows)
            sizes += [len(rows)] * len(rows)
            members += rows
    return Stratum(*key, *(np.array(values, np.int64) for values in (members, starts, sizes)))


def _shares(strata: Sequence[Stratum], languages: Mapping[str, float] | None) -> list[float]:
    """Weigh the strata, before genders are balanced. Shares that are given hold within each gender."""
    if languages is None:
        return [float(len(stratum.members)) for stratum in strata]
    whole = {g: sum(len(s.members) for s in strata if s.gender == g) for g in GENDERS}
    return [languages.get(stratum.language, 0.0) * whole[stratum.gender] for stratum in strata]


def _rotation(shares: Sequence[float]) -> Iterator[int]:
    """Yield indices without end, each in proportion to its share.

    The next index is always the one that is furthest behind its share so far.
    """
    parts = np.array(shares) / sum(shares)
    given = np.zeros(len(parts))
    turn = 0
    while True:
        turn += 1
        index = int(np.argmax(np.round(parts * turn - given, 9)))  # rounded, so that ties go to the first
        given[index] += 1
        yield index
