"""Which gender, language and rate bucket each voice is of, and who its parents are.

Voices are averaged within a *stratum*: one gender, one language. Which stratum the n-th voice is of is no random
choice: shares are kept as exactly as whole numbers allow, after every voice. Within a stratum the first parent is
any speaker who has a possible partner, all with the same chance, and the others any speakers of his own rate bucket.
So rate buckets come up in proportion to their speakers, as in Ke-SpeechChat: in proportion to their *pairs*, common
rates would be made commoner still, by the square.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from manifests.errors import UserError
from voicebank.speaker_table import Crowd, Rows
from voicebank.voice import GENDERS, Gender

Balance = Literal["gender", "corpus"]


@dataclass(frozen=True)
class Stratum:
    """The speakers of one gender and language who have partners, sorted by rate bucket.

    `members` are rows of the crowd; `starts` and `sizes` say, for each member, where in `members` his bucket begins
    and how many are in it. All are int64 [N].
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
    """The place of one voice: which stratum it is of, as an index, and whether it is an agent's."""

    stratum: int
    agent: bool


def find_strata(crowd: Crowd, parents: int) -> tuple[Stratum, ...]:
    """The strata in which voices of so many parents can be made, by gender and language; maybe none."""
    buckets: dict[tuple[Gender, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, key in enumerate(zip(crowd.genders, crowd.languages, strict=True)):
        buckets[key][int(crowd.buckets[row])].append(row)
    found = (_stratum(key, of_key, parents) for key, of_key in sorted(buckets.items()))
    return tuple(stratum for stratum in found if stratum.members.size)


def pick_parents(stratum: Stratum, draws: npt.NDArray[np.float64]) -> Rows:
    """Rows of the crowd [N, K], all different in a row and of one rate bucket, from uniform numbers [N, K]."""
    first = np.floor(draws[:, 0] * len(stratum.members)).astype(np.int64)
    starts, sizes = stratum.starts[first], stratum.sizes[first]
    chosen = (first - starts)[:, None]
    for index in range(1, draws.shape[1]):
        place = np.floor(draws[:, index] * (sizes - index)).astype(np.int64)
        for taken in np.sort(chosen, axis=1).T:  # counts among those who are left
            place += place >= taken
        chosen = np.column_stack([chosen, place])
    picked: Rows = stratum.members[starts[:, None] + chosen]
    return picked


def plan(
    strata: Sequence[Stratum], balance: Balance, languages: Mapping[str, float] | None, agents: int
) -> Iterator[Slot]:
    """The slots, without end. With agents the first two are theirs: a female and a male one.

    `languages` gives the shares of languages; without it, they are those of the speakers who have partners.
    UserError where an agent's gender has no pairs.
    """
    shares = _shares(strata, languages)
    of_gender = {g: [i for i, s in enumerate(strata) if s.gender == g and shares[i] > 0] for g in GENDERS}
    present = [gender for gender in GENDERS if of_gender[gender]]
    if agents:
        for gender in GENDERS:
            if not of_gender[gender]:
                raise UserError(f"no two {gender} speakers share a rate bucket: no {gender} agent; try --agents 0")
            yield Slot(max(of_gender[gender], key=lambda index: shares[index]), True)
    weights = [1.0 if balance == "gender" else sum(shares[i] for i in of_gender[g]) for g in present]
    inner = [_rotation([shares[i] for i in of_gender[g]]) for g in present]
    for turn in _rotation(weights):
        yield Slot(of_gender[present[turn]][next(inner[turn])], False)


def check_languages(strata: Sequence[Stratum], languages: Mapping[str, float] | None) -> None:
    """UserError where a language asked for has no pairs, or a share is no share."""
    known = sorted({stratum.language for stratum in strata})
    for language, share in (languages or {}).items():
        if language not in known:
            raise UserError(f"no pairs of speakers of {language!r}; there are some of: {', '.join(known) or 'none'}")
        if not 0 < share < float("inf"):
            raise UserError(f"--language {language}={share:g}: a share is above 0")


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
    """Weight of each stratum, before genders are balanced. Given shares hold within each gender."""
    if languages is None:
        return [float(len(stratum.members)) for stratum in strata]
    whole = {g: sum(len(s.members) for s in strata if s.gender == g) for g in GENDERS}
    return [languages.get(stratum.language, 0.0) * whole[stratum.gender] for stratum in strata]


def _rotation(shares: Sequence[float]) -> Iterator[int]:
    """Indices, each as often as its share: the next one is always that whose claim is least met."""
    parts = np.array(shares) / sum(shares)
    given = np.zeros(len(parts))
    turn = 0
    while True:
        turn += 1
        index = int(np.argmax(np.round(parts * turn - given, 9)))  # rounded: equal claims go to the first
        given[index] += 1
        yield index
